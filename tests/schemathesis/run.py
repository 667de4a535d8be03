"""Asks the running stack what nobody thought of, by its own OpenAPI document: `make schemathesis`

EXAMPLES=... says how many requests an operation gets beyond the edges of its schema, SEED=... that others are drawn. It repeats
no run: what follows along the links depends on ids and times that the stack gave out, on keys that have to be new to it,
and on which of two workers was first. What failed is in the report, request by request.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REPORTS = ROOT / ".local" / "schemathesis"


def program() -> int:
    api = os.environ["API_URL"]
    command = [ROOT / ".venv-schemathesis" / "bin" / "schemathesis"]
    command += ["--config-file", HERE / "schemathesis.toml", "run", f"{api}/openapi.json", "--url", api]
    command += ["--seed", os.environ.get("SEED", "1"), "--max-examples", os.environ.get("EXAMPLES", "5")]
    # What it found, request by request, for whoever has to find out why.
    command += ["--checks", "all", "--report", "json", "--report-dir", REPORTS, "--warnings", "off"]
    # Not in the project: it remembers examples in its working directory.
    REPORTS.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")}
    return subprocess.run(command, cwd=REPORTS, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(program())
