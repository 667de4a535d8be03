"""Lets what is drawn lead somewhere: a chain of operations ends where the first of them is refused.

A schema can't say that an email is taken or that a currency exists, so along the links every second request that should be
granted is the document's own example, with what the link brought and with names and keys that are new.
"""

import itertools
import uuid

import schemathesis
from schemathesis.generation.meta import TestPhase

EVERY_SECOND = itertools.cycle([True, False])


@schemathesis.hook
def before_call(context, case, kwargs):
    del context, kwargs
    if case.meta is None or case.meta.phase.name != TestPhase.STATEFUL or case.meta.generation.mode.is_negative:
        return
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    if isinstance(example, dict) and isinstance(case.body, dict) and next(EVERY_SECOND):
        case.body = {name: plausible(name, value, case.body) for name, value in example.items()}


def plausible(name, example, drawn):
    if name.endswith(("_id", "_ids")) and name != "external_id":
        return drawn.get(name, example)
    if name in ("external_id", "email", "reference"):
        return f"{uuid.uuid4().hex}@example.com"
    return example
