"""What happens to a call between a function and AWS on a bad day, as Microburst's rules."""

THROTTLED = {"code": "ThrottlingException"}
CONFLICT = {
    "code": "TransactionCanceledException",
    "fields": {"CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]},
}
FAILED = {"code": "InternalServerError", "status": 500}
# The answer to what was done never arrives.
LOST = {"abort_frac": 0.3}
# Longer than a consumer may take for a message.
TOO_LATE_MS = 40_000


def rule(probability: float, service: str, operation: str | None = None, **trouble: object) -> dict:
    of = {"operation": operation} if operation else {}
    return {"service": service, **of, "probability": probability, **trouble}


RULES = [
    rule(0.05, "dynamodb", error=THROTTLED),
    rule(0.05, "dynamodb", error=FAILED),
    rule(0.04, "dynamodb", reset=True),
    rule(0.05, "dynamodb", "TransactWriteItems", error=CONFLICT),
    rule(0.06, "dynamodb", "TransactWriteItems", response=LOST),
    rule(0.06, "dynamodb", "UpdateItem", response=LOST),
    rule(0.01, "dynamodb", "TransactWriteItems", latency=TOO_LATE_MS),
    rule(0.01, "dynamodb", "UpdateItem", latency=TOO_LATE_MS),
    rule(0.10, "dynamodb", latency={"min": 50, "max": 800}),
    rule(0.10, "sqs", "SendMessage", error={"code": "ServiceUnavailable", "status": 503}),
    rule(0.10, "sqs", "SendMessage", response=LOST),
]
