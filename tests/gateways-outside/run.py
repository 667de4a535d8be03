"""Runs our gateways against things that others wrote: `make gateways-outside`, or python3 tests/gateways-outside/run.py

A localstripe on a free port, and Stripe's and Adyen's SDKs as the judges of signatures; the tests are the ignored ones of
shared/gateways/tests/contract. Everything started here is stopped here.
"""

import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / ".venv-gateways"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = HERE / "requirements.txt"
PATIENCE = 20.0


def install() -> None:
    """Quick when there is nothing to do: a stamp holds the hash of what is installed."""
    stamp = VENV / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"  installing {REQUIREMENTS.relative_to(ROOT)} into {VENV.name}", flush=True)
    venv.EnvBuilder(with_pip=True, clear=True).create(VENV)
    pip = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]
    subprocess.run(pip, env=os.environ | {"PYTHONNOUSERSITE": "1"}, check=True)
    stamp.write_text(wanted)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("localstripe did not start: its reason is above.")


def program() -> int:
    install()
    port = free_port()
    server = subprocess.Popen([PYTHON, HERE / "localstripe_server.py", str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, server)
        outside = {
            "LOCALSTRIPE_URL": url,
            "STRIPE_ORACLE_PYTHON": str(PYTHON),
            "STRIPE_ORACLE": str(HERE / "stripe_oracle.py"),
            "ORACLE_PYTHON": str(PYTHON),
            "ADYEN_ORACLE": str(HERE / "adyen_oracle.py"),
        }
        tests = ["cargo", "test", "--locked", "--package", "fatura-gateways", "--test", "contract"]
        tests += ["--", "--ignored", "stripe::outside", "adyen::outside"]
        return subprocess.run(tests, cwd=ROOT, env=os.environ | outside, check=False).returncode
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(program())
