"""Stops what start.py started, and forgets the stack: its data lives as long as it does."""

from local import FUNCTIONS_ENV, STACK_ENV, TEST_CLOCK, main, say
from deploy import DEPLOYED
from start import MICROBURST, MINISTACK, RATES_SECRETS, RATES_SERVER, SANDBOX_GATEWAY, SANDBOX_SECRETS


def program() -> None:
    for process in (MINISTACK, MICROBURST, SANDBOX_GATEWAY, RATES_SERVER):
        if process.stop():
            say(f"stopped {process.name}")
    for remnant in (DEPLOYED, STACK_ENV, FUNCTIONS_ENV, SANDBOX_SECRETS, RATES_SECRETS, TEST_CLOCK):
        remnant.unlink(missing_ok=True)


if __name__ == "__main__":
    main(program)
