"""What happens to a call between a function and AWS on a bad day, as Microburst's rules."""

THROTTLED = {"code": "ThrottlingException"}
CONFLICT = {
    "code": "TransactionCanceledException",
    "fields": {"CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]},
}
FAILED = {"code": "InternalServerError", "status": 500}
UNAVAILABLE = {"code": "ServiceUnavailable", "status": 503}
# The answer to what was done never arrives.
LOST = {"abort_frac": 0.3}
# Longer than a consumer may take for a message.
TOO_LATE_MS = 40_000
# Each of these takes somebody that long.
AT_MOST = 10


def rule(probability: float, service: str, operation: str | None = None, **trouble: object) -> dict:
    of = {"operation": operation} if operation else {}
    return {"service": service, **of, "probability": probability, **trouble}


# By what is said of each afterwards: a rule that came about never has proven nothing. The first one that is drawn for a call
# is the only one.
RULES = {
    "DynamoDB throttles": rule(0.05, "dynamodb", error=THROTTLED),
    "DynamoDB fails": rule(0.05, "dynamodb", error=FAILED),
    "DynamoDB cuts the connection": rule(0.04, "dynamodb", reset=True),
    "a transaction conflicts with another": rule(0.05, "dynamodb", "TransactWriteItems", error=CONFLICT),
    "a transaction's answer is lost": rule(0.06, "dynamodb", "TransactWriteItems", response=LOST),
    "an update's answer is lost": rule(0.06, "dynamodb", "UpdateItem", response=LOST),
    "a transaction comes too late": rule(0.03, "dynamodb", "TransactWriteItems", latency=TOO_LATE_MS, times=AT_MOST),
    "an update comes too late": rule(0.03, "dynamodb", "UpdateItem", latency=TOO_LATE_MS, times=AT_MOST),
    "DynamoDB is slow": rule(0.10, "dynamodb", latency={"min": 50, "max": 800}),
    "a message is refused": rule(0.10, "sqs", "SendMessage", error=UNAVAILABLE),
    "a message's answer is lost": rule(0.10, "sqs", "SendMessage", response=LOST),
    # What `POST .../charge` asks for goes to the queue this way.
    "a batch of messages is refused": rule(0.10, "sqs", "SendMessageBatch", error=UNAVAILABLE),
    "a batch's answer is lost": rule(0.10, "sqs", "SendMessageBatch", response=LOST),
    "events are refused": rule(0.20, "events", "PutEvents", error=UNAVAILABLE),
    "the answer to events is lost": rule(0.20, "events", "PutEvents", response=LOST),
}
