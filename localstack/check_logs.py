"""Looks for secrets, card tokens and card numbers in everything that the stack has logged: there must be none. Nor may
a function have been refused what it needs: its statements in template.yaml must suffice.

Collects the functions' logs from CloudWatch first, so that they can be read in .local/log/functions.log, too.
"""

import re

from local import LOGS, ROOT, STACK, Failure, aws, main, say, stack_environment

SECRETS = ("OPERATOR_KEY", "SANDBOX_API_KEY", "SANDBOX_WEBHOOK_SECRET", "RATES_APP_ID")
PATTERNS = {
    "a card token": r"\btok_[a-z0-9_]+",
    # What the tests send; any number with a good check digit could as well be a time.
    "a card number": r"\b(?:4111 ?1111 ?1111 ?1111|4242 ?4242 ?4242 ?4242|5555 ?5555 ?5555 ?4444)\b",
    "a bearer token": r"(?i)\bbearer\s+[a-z0-9_\-.]{16,}",
    "an access token": r"\beyJ[A-Za-z0-9_-]{10,}\.",
    "a refresh token": r"\bfrt_[0-9A-Z]{28}",
    "a webhook secret": r"\bwhsec_[A-Za-z0-9+/]{8}",
    # What the tests sign in with.
    "a password": r"correct horse|battery staple",
    "a refused permission": r"AccessDenied",
}


def program() -> None:
    collect_function_logs()
    stack = stack_environment()
    patterns = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}
    patterns |= {name: re.compile(re.escape(stack[name].removeprefix("fat_"))) for name in SECRETS}
    logs = sorted(LOGS.glob("*.log"))
    found = [finding for log in logs for finding in findings(log, patterns)]
    if found:
        raise Failure("Logs hold what they must not:\n" + "\n".join(found))
    lines = sum(len(log.read_text(errors="replace").splitlines()) for log in logs)
    say(f"no secret, card token, card number or refused permission in {lines} lines of {len(logs)} logs")


def collect_function_logs() -> None:
    logs = aws("logs")
    with (LOGS / "functions.log").open("w") as output:
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/aws/lambda/{STACK}-"):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                    for event in events["events"]:
                        output.write(f"{name.rsplit('/', 1)[-1]}: {event['message'].rstrip()}\n")


def findings(log, patterns: dict[str, re.Pattern]) -> list[str]:
    """Where, not what: this ends up in a log itself."""
    return [
        f"  {log.relative_to(ROOT)}:{number} holds {name}"
        for number, line in enumerate(log.read_text(errors="replace").splitlines(), start=1)
        for name, pattern in patterns.items()
        if pattern.search(line)
    ]


if __name__ == "__main__":
    main(program)
