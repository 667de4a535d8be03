"""Runs localstripe on the loopback interface: localstripe_server.py PORT

Its own command line listens on all interfaces and keeps what it was told in /tmp. The one field added is one that every
PaymentIntent of Stripe's has (`amount_received: int` in the SDK) and that localstripe leaves out.
"""

import sys

from aiohttp import web
from localstripe import resources, server


def amount_received(intent: resources.PaymentIntent) -> int:
    return intent.amount if intent.status == "succeeded" else 0


resources.PaymentIntent.amount_received = property(amount_received)
resources.store.dump_to_disk = lambda: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
