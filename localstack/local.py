"""What all programs of this folder share: where things are, how the local AWS is reached, how to wait."""

import json
import os
import platform
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
LOGS = LOCAL / "log"
RUN = LOCAL / "run"
# By how many seconds the stack's clock is ahead: tests write it to let days pass.
TEST_CLOCK = LOCAL / "clock"
STACK_ENV = LOCAL / "stack.env"
FUNCTIONS_ENV = LOCAL / "functions.env"

STACK = "fatura"
REGION = "us-east-1"
FUNCTIONS = ("api", "auth", "charge-consumer", "webhook-intake", "webhook-consumer", "retry-sweep", "event-relay", "notifier")
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"

GATEWAY_PORT = int(os.environ.get("GATEWAY_PORT") or 4566)
SANDBOX_PORT = int(os.environ.get("SANDBOX_PORT") or 4580)
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
# A second gateway, to route between.
SANDBOX_2_PORT = int(os.environ.get("SANDBOX_2_PORT") or SANDBOX_PORT + 1)
SANDBOX_2_URL = f"http://127.0.0.1:{SANDBOX_2_PORT}"
RATES_PORT = int(os.environ.get("RATES_PORT") or 4590)
RATES_URL = f"http://127.0.0.1:{RATES_PORT}"
# Nobody listens there: a real gateway that can't be reached. No test speaks to one that can.
GATEWAY_URLS = "stripe=http://127.0.0.1:9"
# Somebody else's endpoint, such as LocalStack's, is used and neither started nor stopped.
OWN_AWS = not os.environ.get("AWS_ENDPOINT_URL")
AWS_ENDPOINT_URL = os.environ.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{GATEWAY_PORT}"
# Where the functions' calls to AWS are troubled on their way: only if it is told (`make faults`).
FAULTS_PORT = os.environ.get("FAULTS_PORT")
FAULTS_URL = f"http://127.0.0.1:{FAULTS_PORT}"

CREDENTIALS = {
    "AWS_ENDPOINT_URL": AWS_ENDPOINT_URL,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}


class Failure(Exception):
    """Something the reader can act upon: the message says how."""


def main(program: Callable[[], None]) -> None:
    """Runs a program of this folder; a failure is one message, not a traceback."""
    try:
        program()
    except Failure as failure:
        sys.exit(f"\n{failure}")


def say(message: str) -> None:
    print(f"  {message}", flush=True)


def aws_environment() -> dict[str, str]:
    """This process's environment, with the local AWS in place of whatever account the shell is logged in to."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | CREDENTIALS | {"NO_PROXY": "127.0.0.1,localhost", "SAM_CLI_TELEMETRY": "0"}


def aws(service: str):
    """A client of the local AWS."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=AWS_ENDPOINT_URL,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        config=Config(connect_timeout=5, read_timeout=60, proxies={}),
    )


# Everything is on this machine, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http(method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, object]:
    """Status and decoded JSON (or text) of one request. No connection is a Failure, an error status is an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | (headers or {}), method=method)
    try:
        with _opener.open(request, timeout=30) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    except OSError as error:
        raise Failure(f"{method} {url} got no answer ({error}). Is the stack up? Try `make up`.") from error
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


Value = TypeVar("Value")


def until(what: str, attempt: Callable[[], Value | None], seconds: float, every: float = 0.1) -> Value:
    """Asks again until there is an answer; after that many seconds it is a Failure that says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = attempt()
        if value is not None:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"Waited {seconds:.0f} s in vain for {what}.\nLogs are in {LOGS.relative_to(ROOT)}/.")
        time.sleep(every)


def write_environment(path: Path, variables: dict[str, str]) -> None:
    """A file for `set -a; . file` and for dotenv readers; only its owner may read it, as it holds keys."""
    text = "".join(f"{name}='{value}'\n" for name, value in variables.items())
    path.touch(mode=0o600)
    path.write_text(text)


def stack_environment() -> dict[str, str]:
    """What `make up` wrote about the running stack."""
    if not STACK_ENV.exists():
        raise Failure("There is no stack. Start one with `make up`.")
    pairs = (line.partition("=") for line in STACK_ENV.read_text().splitlines())
    return {name: value.strip("'") for name, _, value in pairs}
