"""Deploys template.yaml to the local AWS, tells its parts about each other and writes .local/stack.env."""

import hashlib
import json
import subprocess

import gaps
from local import (
    ARCHITECTURE,
    AWS_ENDPOINT_URL,
    CREDENTIALS,
    FUNCTIONS,
    FUNCTIONS_ENV,
    LOGS,
    OWN_AWS,
    REGION,
    ROOT,
    RUN,
    GATEWAY_URLS,
    RATES_URL,
    SANDBOX_2_URL,
    SANDBOX_URL,
    STACK,
    STACK_ENV,
    TEST_CLOCK,
    Failure,
    aws,
    aws_environment,
    http,
    main,
    say,
    stack_environment,
    until,
    write_environment,
)
from processes import tail
from start import MINISTACK, rates_app_id, sandbox_secrets

TEMPLATE = ROOT / "template.yaml"
BUCKET = f"{STACK}-deployments"
DEPLOYED = RUN / "deployed"
# All addresses of tests and of the demo are there, and nobody else's.
DOMAIN = "example.com"
HEALTH_SECONDS = 60


def program() -> None:
    wanted = fingerprint()
    if DEPLOYED.exists() and DEPLOYED.read_text() == wanted and STACK_ENV.exists():
        say("the deployed stack is up to date")
        introduce_sandbox(stack_environment()["API_URL"])
    else:
        deploy()
        outputs = stack_outputs()
        api_url = f"{AWS_ENDPOINT_URL}/_aws/execute-api/{outputs['ApiId']}/$default"
        if OWN_AWS:
            gaps.close(outputs["TableName"], f"{STACK}-")
        put_gateway_secrets(outputs["GatewaySecretsArn"])
        verify_sender()
        introduce_sandbox(api_url)
        describe_stack(outputs, api_url)
        DEPLOYED.write_text(wanted)
    until_healthy(stack_environment()["API_URL"])
    say(f"the API is at {stack_environment()['API_URL']}")


def fingerprint() -> str:
    """Changes with the code, the template, and a local AWS that has forgotten everything."""
    digest = hashlib.sha256(f"{AWS_ENDPOINT_URL} {MINISTACK.pid() if OWN_AWS else ''} {parameters()}".encode())
    for part in (TEMPLATE, *(ROOT / "target" / "lambda" / name / "bootstrap" for name in FUNCTIONS)):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def deploy() -> None:
    say("deploying template.yaml")
    aws("s3").create_bucket(Bucket=BUCKET)
    # fmt: off
    command = [
        ROOT / ".venv-sam" / "bin" / "sam", "deploy",
        "--template-file", TEMPLATE,
        "--stack-name", STACK,
        "--region", REGION,
        "--s3-bucket", BUCKET,
        "--capabilities", "CAPABILITY_IAM",
        "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
        "--parameter-overrides", *parameters(),
    ]
    # fmt: on
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "deploy.log"
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=ROOT, env=aws_environment(), stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise Failure(f"The deployment failed; `make down up` begins anew. The end of {log.relative_to(ROOT)}:\n\n{tail(log)}")


def parameters() -> list[str]:
    return [
        f"Architecture={ARCHITECTURE}",
        f"SandboxUrl={SANDBOX_URL},{SANDBOX_2_URL}",
        f"GatewayUrls={GATEWAY_URLS}",
        "RatesSource=open_exchange_rates",
        f"RatesUrl={RATES_URL}",
        "LogRetentionDays=1",
        "WebhooksAllowLoopback=true",
        f"NoticesFrom=fatura@{DOMAIN}",
        "NoticesIssuer=Padaria",
    ]


def stack_outputs() -> dict[str, str]:
    [stack] = aws("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def put_gateway_secrets(secret: str) -> None:
    made = sandbox_secrets()
    one = {"api_key": made["api_key"], "webhook_secrets": [made["webhook_secret"]]}
    value = {"sandbox": one, "sandbox-2": one, "stripe": one, "open_exchange_rates": {"api_key": rates_app_id()}}
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(value))


def verify_sender() -> None:
    """Mail goes out from here and to here, as far as the local AWS sends it: no further than its own list."""
    ses = aws("sesv2")
    if DOMAIN not in [identity["IdentityName"] for identity in ses.list_email_identities()["EmailIdentities"]]:
        ses.create_email_identity(EmailIdentity=DOMAIN)


def introduce_sandbox(api_url: str) -> None:
    """Tells the sandbox gateways where their webhooks go."""
    for url, name in ((SANDBOX_URL, "sandbox"), (SANDBOX_2_URL, "sandbox-2")):
        status, answer = http("POST", f"{url}/control", {"webhook_target": f"{api_url}/webhooks/{name}"})
        if status != 200:
            raise Failure(f"The sandbox gateway refused its webhook target: {status} {answer}")


def describe_stack(outputs: dict[str, str], api_url: str) -> None:
    made = sandbox_secrets()
    operator_key = aws("secretsmanager").get_secret_value(SecretId=outputs["OperatorKeySecretArn"])["SecretString"]
    write_environment(
        STACK_ENV,
        CREDENTIALS
        | {
            "API_URL": api_url,
            "WEBHOOK_URL": api_url,
            "OPERATOR_KEY": f"fat_{operator_key}",
            "TOKEN_KEY_SECRET_ARN": outputs["TokenKeySecretArn"],
            "STACK_NAME": STACK,
            "CHARGE_QUEUE_URL": outputs["ChargeQueueUrl"],
            "WEBHOOK_QUEUE_URL": outputs["WebhookQueueUrl"],
            "TABLE_NAME": outputs["TableName"],
            "EVENT_BUS_NAME": outputs["EventBusName"],
            "SANDBOX_URL": SANDBOX_URL,
            "SANDBOX_2_URL": SANDBOX_2_URL,
            "SANDBOX_API_KEY": made["api_key"],
            "SANDBOX_WEBHOOK_SECRET": made["webhook_secret"],
            "RATES_URL": RATES_URL,
            "RATES_APP_ID": rates_app_id(),
            "TEST_CLOCK_FILE": str(TEST_CLOCK),
        },
    )
    write_environment(FUNCTIONS_ENV, CREDENTIALS | functions_variables() | {"TEST_CLOCK_FILE": str(TEST_CLOCK)})


def functions_variables() -> dict[str, str]:
    """All that the template gives to any function: for `make watch`, which runs them outside of the stack."""
    variables: dict[str, str] = {}
    for name in FUNCTIONS:
        configuration = aws("lambda").get_function_configuration(FunctionName=f"{STACK}-{name}")
        variables |= configuration["Environment"]["Variables"]
    return variables


def until_healthy(api_url: str) -> None:
    until(f"{api_url}/health to answer 200", lambda: True if http("GET", f"{api_url}/health")[0] == 200 else None, HEALTH_SECONDS)


if __name__ == "__main__":
    main(program)
