"""Builds the functions, the sandbox gateway and the rates server for the local stack.

The functions land in target/lambda/<name>/bootstrap, where `make package` puts its release builds too: template.yaml
deploys whichever was built last.
"""

import filecmp
import os
import shutil
import subprocess
from pathlib import Path

from local import FUNCTIONS, ROOT, Failure, main, say

TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
SANDBOX = TARGET / "local" / "sandbox-gateway"
RATES = TARGET / "local" / "rates-server"


def cargo_build(package: str, *options: str) -> Path:
    """One package at a time: together, their features would be unified and each would get what only another needs."""
    command = ["cargo", "build", "--locked", "--quiet", "--profile", "local", "--package", package, "--bin", package, *options]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Failure(f"{package} does not compile: the reason is above.")
    return TARGET / "local" / package


def place(function: str) -> None:
    binary = cargo_build(function, "--features", "test-clock")
    bootstrap = ROOT / "target" / "lambda" / function / "bootstrap"
    if bootstrap.exists() and filecmp.cmp(binary, bootstrap, shallow=False):
        return
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(binary, bootstrap)
    say(f"built {function}")


def program() -> None:
    cargo_build("sandbox-gateway")
    cargo_build("rates-server")
    for function in FUNCTIONS:
        place(function)


if __name__ == "__main__":
    main(program)
