"""Standard Webhooks' own package on webhooks that we send, with the body on standard input:

standard_webhooks_oracle.py SECRET ID TIMESTAMP SIGNATURES      prints `genuine`, or why it is not
"""

import sys

from standardwebhooks import Webhook, WebhookVerificationError


def program() -> None:
    secret, message, timestamp, signatures = sys.argv[1:]
    headers = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signatures}
    try:
        Webhook(secret).verify(sys.stdin.buffer.read(), headers)
    except WebhookVerificationError as refusal:
        print(refusal)
    else:
        print("genuine")


program()
