"""Installs pinned tools into this checkout: install.py [stack] [sam] [build] [schemathesis] [faults] [mutants]

Most are of Python, and each set has a virtual environment.
Quick when there is nothing to do: a stamp holds the hash of what is installed.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from local import ROOT, Failure, main, say

HERE = Path(__file__).resolve().parent
SETS = {
    "stack": (HERE / "requirements.txt", ROOT / ".venv"),
    "sam": (HERE / "requirements-sam.txt", ROOT / ".venv-sam"),
    "build": (HERE / "requirements-build.txt", ROOT / ".venv-build"),
    "schemathesis": (ROOT / "tests" / "schemathesis" / "requirements.txt", ROOT / ".venv-schemathesis"),
    "faults": (ROOT / "tests" / "faults" / "requirements.txt", ROOT / ".venv-faults"),
}
# What cargo builds: name and version.
CRATES = {"mutants": ("cargo-mutants", "27.1.0")}
TOOLS = ROOT / ".tools"


def install_crate(name: str, version: str) -> None:
    program = TOOLS / "bin" / name
    if program.exists():
        known = subprocess.run([program, "mutants", "--version"], capture_output=True, text=True, check=False).stdout
        if known.split()[-1:] == [version]:
            return
    say(f"installing {name} {version} into {TOOLS.name}")
    command = ["cargo", "install", "--quiet", "--locked", "--force", "--root", TOOLS, "--version", version, name]
    if subprocess.run(command, check=False).returncode:
        raise Failure(f"cargo could not install {name} {version}: its reason is above.")


def install(name: str) -> None:
    requirements, target = SETS[name]
    stamp = target / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {requirements.relative_to(ROOT)} into {target.name}")
    venv.EnvBuilder(with_pip=True, clear=True).create(target)
    pip = [target / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements]
    if subprocess.run(pip, env=os.environ | {"PYTHONNOUSERSITE": "1"}, check=False).returncode:
        raise Failure(f"pip could not install {requirements.relative_to(ROOT)}: its reason is above.")
    stamp.write_text(wanted)


def program() -> None:
    if sys.version_info < (3, 10):
        raise Failure("Python 3.10 or newer is needed.")
    for name in sys.argv[1:]:
        if name in CRATES:
            install_crate(*CRATES[name])
        else:
            install(name)


if __name__ == "__main__":
    main(program)
