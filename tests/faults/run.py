"""Sells while the calls between the functions and AWS are throttled, lost, slow and cut off, then lets the world go quiet
and compares every book with every other, to the cent: `make faults`

A client asks again with the same idempotency key until it has an answer, as clients do.
"""

import random
import secrets
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "localstack"))

from local import FAULTS_URL, STACK, TEST_CLOCK, Failure, aws, http, main, say, stack_environment, until  # noqa: E402
from trouble import RULES, TOO_LATE_MS  # noqa: E402

CUSTOMERS = 10
CHARGES = 200
BILLS = 4
APPENDS = 200
CLIENTS = 6
# A lease, a visibility timeout and a sweep may lie between a fault and its repair; several in a row do.
QUIET_SECONDS = 600
TRIES = 60
# The answer may be another one next time.
AGAIN = {409, 429, 500, 502, 503, 504}
HOUR_S = 3_600


class Shop:
    def __init__(self) -> None:
        self.stack = stack_environment()

    def get(self, path: str) -> dict:
        return self.ask("GET", path, None, {200})

    def post(self, path: str, body: dict, *expected: int) -> dict:
        return self.ask("POST", path, body, set(expected))

    def ask(self, method: str, path: str, body: dict | None, expected: set[int]) -> dict:
        """The first answer that is one. The key stays the same: whatever was done before is answered for."""
        headers = {"Authorization": f"Bearer {self.stack['OPERATOR_KEY']}"}
        if method == "POST":
            headers["Idempotency-Key"] = f"faults-{secrets.token_hex(12)}"
        for _ in range(TRIES):
            try:
                status, answer = http(method, f"{self.stack['API_URL']}{path}", body, headers)
            except Failure:
                continue
            if status in expected:
                return answer
            if status not in AGAIN:
                raise Failure(f"{method} {path} answered {status}: {answer}")
        raise Failure(f"{method} {path} had no answer in {TRIES} tries, the last was {status}: {answer}")

    def journal(self, what: str) -> list[dict]:
        """What the gateway itself says that it did."""
        status, answer = http("GET", f"{self.stack['SANDBOX_URL']}/{what}")
        check(status == 200, f"the sandbox's journal answered {status}: {answer}")
        return answer["data"]


def program() -> None:
    shop = Shop()
    customers = [customer_with_a_card(shop, number) for number in range(CUSTOMERS)]
    bills = [open_bill(shop, customers[number]) for number in range(BILLS)]
    trouble(RULES)
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            selling = [clients.submit(sell, shop, customers[number % CUSTOMERS], number) for number in range(CHARGES)]
            accruing = [clients.submit(accrue, shop, bills[number % BILLS], number) for number in range(APPENDS)]
            invoices = [sale.result() for sale in selling]
            for line in accruing:
                line.result()
            refunds = [clients.submit(give_back, shop, invoice) for invoice in invoices[::3]]
            given_back = [refund.result() for refund in refunds]
    finally:
        fired = trouble([])
    for what, count in sorted(fired.items()):
        say(f"{count:>6} {what}")
    check(sum(fired.values()) > CHARGES, f"only {sum(fired.values())} calls were troubled")
    with hours_passing():
        see_invoices_end(shop, invoices)
        see_refunds_end(shop, invoices)
    see_the_gateway_agree(shop, invoices)
    see_the_ledger_agree(shop, customers, invoices)
    see_the_bills_agree(shop, bills)
    see_nothing_lost(shop)
    say(f"{CHARGES} charges, {sum(given_back)} refunds and {APPENDS} line items agree everywhere, to the cent")


def customer_with_a_card(shop: Shop, number: int) -> str:
    email = f"faults.{number}.{secrets.token_hex(4)}@example.com"
    customer = shop.post("/v1/customers", {"name": "Ana Souza", "email": email}, 201)["id"]
    card = {"type": "credit_card", "token": "tok_visa", "brand": "visa", "last4": "4242"}
    shop.post(f"/v1/customers/{customer}/payment-methods", card, 201)
    return customer


def open_bill(shop: Shop, customer: str) -> str:
    now = datetime.now(timezone.utc)
    period = {"period_start": now.isoformat(), "period_end": (now + timedelta(days=30)).isoformat()}
    return shop.post("/v1/bills", {"customer_id": customer, **period}, 201)["id"]


def price(number: int) -> Decimal:
    """Another one for each, so that one taken for another is seen."""
    return Decimal(1_000 + number) / 100


def sell(shop: Shop, customer: str, number: int) -> str:
    items = [{"description": f"Order {number}", "quantity": 1, "unit_price": str(price(number))}]
    invoice = shop.post("/v1/invoices", {"customer_id": customer, "currency": "BRL", "items": items}, 201)["id"]
    shop.post(f"/v1/invoices/{invoice}/charge", {}, 202)
    return invoice


def accrue(shop: Shop, bill: str, number: int) -> None:
    line = {"description": "Fee", "quantity": 1, "unit_price": str(price(number)), "currency": "BRL", "reference": f"fee-{number}"}
    shop.post(f"/v1/bills/{bill}/line-items", line, 201)


def give_back(shop: Shop, invoice: str) -> bool:
    """Part of it, if it is paid by now."""
    if shop.get(f"/v1/invoices/{invoice}")["status"] != "paid":
        return False
    shop.post(f"/v1/invoices/{invoice}/refunds", {"amount": str(random.randint(1, 9)), "reason": "a bad day"}, 202)
    return True


def trouble(rules: list[dict]) -> Counter:
    """From now on; and what was done until now, by kind."""
    http("POST", f"{FAULTS_URL}/_microburst/rules", rules)
    _, fired = http("GET", f"{FAULTS_URL}/_microburst/fired?limit=100000")
    return Counter(f"{event['service']} {event['operation']}: {kind(event['action'])}" for event in fired)


def kind(action: str) -> str:
    if not action.startswith("latency:"):
        return action
    return "too late" if action == f"latency:{TOO_LATE_MS}ms" else "slow"


class hours_passing:
    """Retries are due at once, when the stack's clock is hours ahead."""

    def __enter__(self) -> None:
        TEST_CLOCK.write_text(str(2 * HOUR_S))

    def __exit__(self, *_: object) -> None:
        TEST_CLOCK.write_text("0")


def see_invoices_end(shop: Shop, invoices: list[str]) -> None:
    waiting = set(invoices)

    def ended() -> bool | None:
        waiting.difference_update([one for one in waiting if shop.get(f"/v1/invoices/{one}")["status"] == "paid"])
        return None if waiting else True

    until(f"every invoice to be paid ({', '.join(sorted(waiting)[:3])}, ...)", ended, QUIET_SECONDS, every=3)


def see_refunds_end(shop: Shop, invoices: list[str]) -> None:
    def ended() -> bool | None:
        refunds = [one for invoice in invoices[::3] for one in shop.get(f"/v1/invoices/{invoice}/refunds")["data"]]
        return True if all(one["status"] == "succeeded" for one in refunds) else None

    until("every refund to be given", ended, QUIET_SECONDS, every=3)


def see_the_gateway_agree(shop: Shop, invoices: list[str]) -> None:
    for number, invoice in enumerate(invoices):
        shown = shop.get(f"/v1/invoices/{invoice}")
        charges = shop.journal(f"charges?reference={invoice}")
        told = [(charge["status"], charge["amount_minor"], charge["refunded_minor"]) for charge in charges]
        refunded = int(Decimal(shown["amount_refunded"]["amount"]) * 100)
        check(told == [("captured", int(price(number) * 100), refunded)], f"{invoice} is {told} at the gateway")


def see_the_ledger_agree(shop: Shop, customers: list[str], invoices: list[str]) -> None:
    charged, refunded = Decimal(0), Decimal(0)
    for customer in customers:
        report = shop.post("/v1/ledger/verify", {"customer_id": customer, "seal": True}, 200)
        check(report["findings"] == [], f"{customer}'s books are not as they should be: {report['findings']}")
        for transaction in transactions_of(shop, customer):
            amount = Decimal(transaction["amount"]["amount"])
            charged += amount if transaction["type"] == "charge" else 0
            refunded += amount if transaction["type"] == "refund" else 0
    check(charged == sum(price(number) for number in range(CHARGES)), f"the ledger has {charged} charged")
    shown = [shop.get(f"/v1/invoices/{invoice}")["amount_refunded"]["amount"] for invoice in invoices]
    check(refunded == sum(map(Decimal, shown)), f"the ledger has {refunded} given back")

    def balanced() -> bool | None:
        # The platform's accounts are counted from the table's stream, a moment later.
        account = shop.get("/v1/ledger/accounts/gateway_clearing:sandbox")["data"]
        return True if [one["balance"] for one in account] == [str(charged - refunded)] else None

    until(f"the gateway's clearing account to be {charged - refunded}", balanced, QUIET_SECONDS, every=3)
    check(shop.get("/v1/ledger/trial-balance")["balanced"], "the trial balance is not zero")


def transactions_of(shop: Shop, customer: str) -> list[dict]:
    found, cursor = [], ""
    while True:
        page = shop.get(f"/v1/customers/{customer}/transactions?limit=100{cursor}")
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def see_the_bills_agree(shop: Shop, bills: list[str]) -> None:
    for place, bill in enumerate(bills):
        wanted = sum(price(number) for number in range(place, APPENDS, BILLS))
        closed = shop.post(f"/v1/bills/{bill}/close", {}, 200)
        told = (closed["line_item_count"], closed["total"]["by_currency"])
        check(told == (APPENDS // BILLS, {"BRL": str(wanted)}), f"{bill} has {told}, not {wanted}")


def see_nothing_lost(shop: Shop) -> None:
    open_matters = shop.get("/v1/attention")["data"]
    check(open_matters == [], f"somebody has to look at {open_matters}")
    sqs = aws("sqs")
    for url in sqs.list_queues(QueueNamePrefix=f"{STACK}-").get("QueueUrls", []):
        if "DeadLetters" in url or "Failures" in url:
            got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            count = got["Attributes"]["ApproximateNumberOfMessages"]
            check(count == "0", f"{url} holds {count} messages")


def check(holds: bool, deviation: str) -> None:
    if not holds:
        raise Failure(f"This is not as it should be: {deviation}")


if __name__ == "__main__":
    main(program)
