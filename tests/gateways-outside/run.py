"""Runs our gateways against things that others wrote: `make gateways-outside`, or python3 tests/gateways-outside/run.py

localstripe, the SDKs of Stripe, Adyen and Mercado Pago as the judges of signatures, and Standard Webhooks' package as the
judge of those that we make. The tests are the ignored ones called `outside` in shared/gateways/tests/contract and
tests/integration/charging, which start and stop what they need.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / ".venv-outside"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = HERE / "requirements.txt"
MODULES = HERE / "node_modules"
# As many as there are: a filter that fits nothing is a success to cargo.
TESTS = 15
FOR_NODE = 1


def once(stamp: Path, wanted: str, install: Callable[[], None]) -> None:
    """Quick when there is nothing to do: the stamp holds what is installed, and is written last."""
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"  installing {stamp.parent.relative_to(ROOT)}", flush=True)
    install()
    stamp.write_text(wanted)


def run(what: list[str | Path], problem: str) -> None:
    environment = os.environ | {"PYTHONNOUSERSITE": "1"}
    if subprocess.run(what, cwd=HERE, env=environment, check=False).returncode:
        sys.exit(f"{problem}: the reason is above.")


def for_python() -> None:
    venv.EnvBuilder(with_pip=True, clear=True).create(VENV)
    pip = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]
    run(pip, f"pip could not install {REQUIREMENTS.relative_to(ROOT)}")


def for_node(npm: str) -> None:
    """Nothing of a package is run while it is installed."""
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "npm could not install")


def hashed(*files: Path, **versions: str) -> str:
    read = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(read + repr(sorted(versions.items())).encode()).hexdigest()


def tested(command: list[str], environment: dict[str, str], least: int) -> int:
    """Shows what cargo says, and counts what passed."""
    passed = 0
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as tests:
        for line in tests.stdout:
            print(line, end="", flush=True)
            if found := re.match(r"test result: .* (\d+) passed;", line):
                passed += int(found[1])
    if tests.returncode == 0 and passed < least:
        sys.exit(f"{passed} tests passed, and there are {least}: what is called `outside` has other names now.")
    return tests.returncode


def program() -> int:
    if sys.version_info < (3, 10):
        sys.exit("Python 3.10 or newer is needed.")
    if not shutil.which("openssl"):
        sys.exit("The openssl command is needed.")
    once(VENV / "installed", hashed(REQUIREMENTS, python=sys.version), for_python)
    outside = {
        "ORACLE_PYTHON": str(PYTHON),
        "LOCALSTRIPE_SERVER": str(HERE / "localstripe_server.py"),
        "STRIPE_ORACLE": str(HERE / "stripe_oracle.py"),
        "ADYEN_ORACLE": str(HERE / "adyen_oracle.py"),
        "MERCADO_PAGO_ORACLE": str(HERE / "mercado_pago_oracle.py"),
        "STANDARD_WEBHOOKS_ORACLE": str(HERE / "standard_webhooks_oracle.py"),
    }
    left_out: list[str] = []
    least = TESTS
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        once(MODULES / "installed", hashed(HERE / "package-lock.json"), lambda: for_node(npm))
        outside |= {"ORACLE_NODE": node, "MERCADO_PAGO_NODE_ORACLE": str(HERE / "mercado_pago_oracle.js")}
    else:
        print("Node.js (`node` and `npm`) is not installed: Mercado Pago's SDK for it is not asked, only the one for Python.")
        left_out = ["--skip", "sdk_for_node"]
        least -= FOR_NODE
    # The selection is the one of `make unit`, so that what that has built is good for this.
    tests = ["cargo", "test", "--locked", "--workspace", "--exclude", "fatura-e2e", "--no-fail-fast"]
    tests += ["--test", "contract", "--test", "charging", "--", "--ignored", "outside::", *left_out]
    return tested(tests, os.environ | outside, least)


if __name__ == "__main__":
    sys.exit(program())
