"""Runs localstripe on a free port of the loopback interface, prints its address, and ends with its standard input.

Its own command line listens on all interfaces and keeps what it was told in /tmp. The one field added is one that every
PaymentIntent of Stripe's has (`amount_received: int` in the SDK) and that localstripe leaves out.
"""

import os
import socket
import sys
import threading

from aiohttp import web
from localstripe import resources, server


def amount_received(intent: resources.PaymentIntent) -> int:
    return intent.amount if intent.status == "succeeded" else 0


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


resources.PaymentIntent.amount_received = property(amount_received)
resources.store.dump_to_disk = lambda: None
listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
web.run_app(server.app, sock=listener, print=None)
