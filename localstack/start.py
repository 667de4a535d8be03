"""Starts the local AWS, the sandbox gateway and the rates server, unless they are running. All listen on the loopback only."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from build import RATES, SANDBOX
from local import (
    AWS_ENDPOINT_URL,
    CREDENTIALS,
    FAULTS_PORT,
    FAULTS_URL,
    GATEWAY_PORT,
    LOCAL,
    OWN_AWS,
    RATES_PORT,
    RATES_URL,
    ROOT,
    RUN,
    SANDBOX_2_PORT,
    SANDBOX_2_URL,
    SANDBOX_PORT,
    SANDBOX_URL,
    TEST_CLOCK,
    Failure,
    http,
    main,
    say,
    until,
)
from processes import Process

MINISTACK = Process("ministack")
MICROBURST = Process("microburst")
SANDBOX_GATEWAY = Process("sandbox-gateway")
RATES_SERVER = Process("rates-server")
SANDBOX_SECRETS = RUN / "sandbox-secrets.json"
RATES_SECRETS = RUN / "rates-secrets.json"
START_SECONDS = 60


def sandbox_secrets() -> dict[str, str]:
    """The merchant's key and the webhooks' secret."""
    return made_once(SANDBOX_SECRETS, lambda: {"api_key": secrets.token_hex(24), "webhook_secret": secrets.token_hex(32)})


def rates_app_id() -> str:
    """What the rates server knows us by."""
    return made_once(RATES_SECRETS, lambda: {"app_id": secrets.token_hex(16)})["app_id"]


def made_once(file: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Random secrets that are the same for as long as the stack lives."""
    if not file.exists():
        RUN.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(make()))
    return json.loads(file.read_text())


def start_ministack() -> None:
    if MINISTACK.pid() is None:
        refuse_taken_port(f"{AWS_ENDPOINT_URL}/_ministack/health", "GATEWAY_PORT", GATEWAY_PORT)
        scratch = LOCAL / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        # Functions inherit this environment, so it holds nothing of the developer's.
        environment = CREDENTIALS | {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(GATEWAY_PORT),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TEST_CLOCK_FILE": str(TEST_CLOCK),
            "AWS_ENDPOINT_URL": FAULTS_URL if FAULTS_PORT else AWS_ENDPOINT_URL,  # of the functions
            "AUTH": "true",  # functions may do what their policies say, no more: as on AWS
        }
        MINISTACK.start([str(Path(sys.executable).parent / "ministack")], environment, scratch)
        say(f"MiniStack is starting on {AWS_ENDPOINT_URL}")
    until_answering(MINISTACK, f"{AWS_ENDPOINT_URL}/_ministack/health")


def start_faults() -> None:
    """Lets everything through until it is told otherwise."""
    if MICROBURST.pid() is None:
        refuse_taken_port(f"{FAULTS_URL}/_microburst/health", "FAULTS_PORT", FAULTS_PORT)
        program = ROOT / ".venv-faults" / "bin" / "microburst"
        # A signature is of the host that was called: behind it the request is another's.
        command = [str(program), "--upstream", AWS_ENDPOINT_URL, "--port", FAULTS_PORT, "--resign"]
        MICROBURST.start(command, CREDENTIALS | {"PATH": os.environ["PATH"]})
        say(f"Microburst is starting on {FAULTS_URL}")
    until_answering(MICROBURST, f"{FAULTS_URL}/_microburst/health")


def start_sandbox() -> None:
    if SANDBOX_GATEWAY.pid() is None:
        refuse_taken_port(f"{SANDBOX_URL}/control", "SANDBOX_PORT", SANDBOX_PORT)
        refuse_taken_port(f"{SANDBOX_2_URL}/control", "SANDBOX_2_PORT", SANDBOX_2_PORT)
        # A copy, so that the next build can replace the file of a running program.
        program = RUN / "sandbox-gateway"
        shutil.copy(SANDBOX, program)
        made = sandbox_secrets()
        environment = {
            "SANDBOX_PORT": str(SANDBOX_PORT),
            "SANDBOX_2_PORT": str(SANDBOX_2_PORT),
            "SANDBOX_API_KEY": made["api_key"],
            "SANDBOX_WEBHOOK_SECRET": made["webhook_secret"],
            "TEST_CLOCK_FILE": str(TEST_CLOCK),
        }
        SANDBOX_GATEWAY.start([str(program)], environment)
        say(f"the sandbox gateway is starting on {SANDBOX_URL}")
    for url in (SANDBOX_URL, SANDBOX_2_URL):
        until_answering(SANDBOX_GATEWAY, f"{url}/control")


def start_rates() -> None:
    if RATES_SERVER.pid() is None:
        refuse_taken_port(f"{RATES_URL}/control", "RATES_PORT", RATES_PORT)
        # A copy, as of the sandbox gateway.
        program = RUN / "rates-server"
        shutil.copy(RATES, program)
        environment = {
            "RATES_PORT": str(RATES_PORT),
            "RATES_APP_ID": rates_app_id(),
            "TEST_CLOCK_FILE": str(TEST_CLOCK),
        }
        RATES_SERVER.start([str(program)], environment)
        say(f"the rates server is starting on {RATES_URL}")
    until_answering(RATES_SERVER, f"{RATES_URL}/control")


def refuse_taken_port(url: str, variable: str, port: int | str) -> None:
    try:
        http("GET", url)
    except Failure:
        return
    raise Failure(f"Port {port} is taken by a program that this checkout did not start: `make up {variable}=<another>`.")


def until_answering(process: Process, url: str) -> None:
    def answers() -> bool | None:
        process.must_be_running()
        try:
            return True if http("GET", url)[0] == 200 else None
        except Failure:
            return None

    until(f"{process.name} to answer on {url} (was it started on another port? then `make down` first)", answers, START_SECONDS)


def program() -> None:
    if OWN_AWS:
        start_ministack()
    if FAULTS_PORT:
        start_faults()
    start_sandbox()
    start_rates()


if __name__ == "__main__":
    main(program)
