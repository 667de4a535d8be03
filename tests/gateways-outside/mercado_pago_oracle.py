"""Mercado Pago's own SDK on signatures of webhooks, with what came as JSON on standard input.

Exits with 0 if the SDK believes it; with 1 if it does not, and prints the SDK's reason.
"""

import json
import sys

from mercadopago.webhook import InvalidWebhookSignatureError, WebhookSignatureValidator


def program() -> None:
    came = json.load(sys.stdin.buffer)
    try:
        WebhookSignatureValidator.validate(
            came["signature"],
            came["request_id"],
            came["data_id"],
            came["secret"],
            tolerance_seconds=came["tolerance_s"],
            now=lambda: came["now_ms"],
        )
    except InvalidWebhookSignatureError as refusal:
        print(refusal.reason.value)
        sys.exit(1)


program()
