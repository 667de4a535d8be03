"""Background processes, known by the pid in a file of .local/run and by nothing else."""

import os
import signal
import subprocess
from pathlib import Path

from local import LOGS, ROOT, RUN, Failure, until

# MiniStack ends its Lambda functions first.
STOP_SECONDS = 20


class Process:
    def __init__(self, name: str) -> None:
        self.name = name
        self.pid_file = RUN / f"{name}.pid"
        self.log = LOGS / f"{name}.log"

    def pid(self) -> int | None:
        """The process's id, if it is running."""
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        # After a reboot the number may be anybody's.
        return pid if self.name in _command_of(pid) else None

    def start(self, command: list[str], environment: dict[str, str], directory: Path = ROOT) -> None:
        """Starts it in a session of its own, so that it outlives this terminal and its children can be told apart."""
        for folder in (RUN, LOGS):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_file.write_text(str(process.pid))

    def must_be_running(self) -> None:
        if self.pid() is None:
            raise Failure(f"{self.name} ended by itself:\n\n{tail(self.log)}")

    def stop(self) -> bool:
        """Asks it to end, then ends what is left of it. False if it wasn't running."""
        pid = self.pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        try:
            until(f"{self.name} to end", lambda: True if not _command_of(pid) else None, STOP_SECONDS)
        except Failure:
            os.kill(pid, signal.SIGKILL)
        try:
            # Its children, if it left any.
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.pid_file.unlink(missing_ok=True)
        return True


def tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _command_of(pid: int) -> str:
    """A process's command line; empty for one that has ended, even if nobody has collected it yet."""
    answer = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, command = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else command
