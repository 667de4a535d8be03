"""Adyen's own SDK on signatures of webhooks, with one item as JSON on standard input:

adyen_oracle.py sign KEY         prints the signature that the SDK makes
adyen_oracle.py check KEY        exits with 0 if the SDK believes it, with 1 if it does not
"""

import json
import sys

from Adyen.util import generate_notification_sig, is_valid_hmac_notification


def program() -> None:
    action, key = sys.argv[1:]
    item = json.load(sys.stdin.buffer)
    if action == "sign":
        print(generate_notification_sig(item, key).decode())
    elif not is_valid_hmac_notification(item, key):
        sys.exit(1)


program()
