"""Stripe's own SDK on signatures of webhooks, with the body on standard input:

stripe_oracle.py sign SECRET UNIX_TIME        prints the header that the SDK makes
stripe_oracle.py check SECRET HEADER          exits with 0 if the SDK believes it, with 1 if it does not
"""

import sys

import stripe


def program() -> None:
    action, secret, argument = sys.argv[1:]
    body = sys.stdin.buffer.read().decode()
    if action == "sign":
        print(stripe.WebhookSignature.generate_signature_header(body, secret, int(argument)))
        return
    try:
        stripe.Webhook.construct_event(body, argument, secret)
    except stripe.SignatureVerificationError as refusal:
        print(refusal)
        sys.exit(1)


program()
