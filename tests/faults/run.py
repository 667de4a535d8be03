"""Sells while the calls between the functions and AWS are throttled, lost, slow and cut off, then lets the world go quiet
and compares every book, to the cent, with what its clients asked for: `make faults`

A client asks again with the same idempotency key until it has an answer, as clients do.
"""

import random
import secrets
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "localstack"))

from local import FAULTS_URL, STACK, TEST_CLOCK, Failure, aws, http, main, say, stack_environment, until  # noqa: E402
from trouble import RULES  # noqa: E402

CUSTOMERS = 10
CHARGES = 200
# One in three is asked back if it is paid by then, and most are.
LEAST_REFUNDS = 40
BILLS = 4
APPENDS = 200
CLIENTS = 6
# A lease, a visibility timeout and a sweep may lie between a fault and its repair; several in a row do.
QUIET_SECONDS = 600
TRIES = 60
# The answer may be another one next time.
AGAIN = {409, 429, 500, 502, 503, 504}
HOUR_S = 3_600


class Sale(NamedTuple):
    """What a client asked for. Whatever the books say is held against this."""

    invoice: str
    price: Decimal
    asked_back: Decimal | None


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

    def pages(self, path: str) -> list[dict]:
        """All that a list has."""
        found, cursor = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            found += page["data"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def journal(self, what: str) -> list[dict]:
        """What the gateway itself says that it did."""
        status, answer = http("GET", f"{self.stack['SANDBOX_URL']}/{what}")
        check(status == 200, f"the sandbox's journal answered {status}: {answer}")
        return answer["data"]


def program() -> None:
    shop = Shop()
    customers = [customer_with_a_card(shop, number) for number in range(CUSTOMERS)]
    bills = [open_bill(shop, customers[number]) for number in range(BILLS)]
    trouble(list(RULES.values()))
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            selling = [clients.submit(sell, shop, customers[number % CUSTOMERS], number) for number in range(CHARGES)]
            accruing = [clients.submit(accrue, shop, bills[number % BILLS], number) for number in range(APPENDS)]
            invoices = [sale.result() for sale in selling]
            for line in accruing:
                line.result()
            refunds = [clients.submit(give_back, shop, invoice) for invoice in invoices[::3]]
            asked_back = dict(zip(invoices[::3], [refund.result() for refund in refunds], strict=True))
    finally:
        fired = trouble([])
    see_that_all_came_about(fired)
    sales = [Sale(invoice, price(number), asked_back.get(invoice)) for number, invoice in enumerate(invoices)]
    given_back = [sale for sale in sales if sale.asked_back]
    check(len(given_back) >= LEAST_REFUNDS, f"only {len(given_back)} refunds were asked for")
    with hours_passing():
        see_invoices_end(shop, invoices)
        see_refunds_end(shop, given_back)
    see_the_invoices_agree(shop, customers, sales)
    see_the_gateway_agree(shop, sales)
    see_the_ledger_agree(shop, customers, sales)
    see_the_bills_agree(shop, bills)
    see_nothing_lost(shop)
    say(f"{CHARGES} charges, {len(given_back)} refunds and {APPENDS} line items agree everywhere, to the cent")


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


def give_back(shop: Shop, invoice: str) -> Decimal | None:
    """Part of it, if it is paid by now. How much was asked for."""
    if shop.get(f"/v1/invoices/{invoice}")["status"] != "paid":
        return None
    amount = Decimal(random.randint(100, 999)) / 100
    shop.post(f"/v1/invoices/{invoice}/refunds", {"amount": str(amount), "reason": "a bad day"}, 202)
    return amount


def trouble(rules: list[dict]) -> list[int]:
    """From now on; and how often each rule until now came about."""
    _, ended = http("GET", f"{FAULTS_URL}/_microburst/rules")
    status, answer = http("POST", f"{FAULTS_URL}/_microburst/rules", rules)
    check(status == 200, f"Microburst answered {status}: {answer}")
    return [rule["fired_count"] for rule in ended]


def see_that_all_came_about(fired: list[int]) -> None:
    for what, count in zip(RULES, fired, strict=True):
        say(f"{count:>6} times {what}")
    never = [what for what, count in zip(RULES, fired, strict=True) if count == 0]
    check(not never, f"it never came about that {', or that '.join(never)}")


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


def see_refunds_end(shop: Shop, given_back: list[Sale]) -> None:
    def ended() -> bool | None:
        refunds = [one for sale in given_back for one in shop.get(f"/v1/invoices/{sale.invoice}/refunds")["data"]]
        return True if all(one["status"] == "succeeded" for one in refunds) else None

    until("every refund to be given", ended, QUIET_SECONDS, every=3)


def see_the_invoices_agree(shop: Shop, customers: list[str], sales: list[Sale]) -> None:
    """Each as it was asked for, and no other: a request that was repeated made one of them."""
    shown = {one["id"]: one for customer in customers for one in shop.pages(f"/v1/invoices?customer_id={customer}")}
    more = set(shown) - {sale.invoice for sale in sales}
    check(not more, f"nobody asked for {more}")
    for sale in sales:
        refunds = [money(one["amount"]) for one in shop.get(f"/v1/invoices/{sale.invoice}/refunds")["data"]]
        told = (money(shown[sale.invoice]["total"]), money(shown[sale.invoice]["amount_refunded"]), refunds)
        wanted = (sale.price, sale.asked_back or 0, [sale.asked_back] if sale.asked_back else [])
        check(told == wanted, f"{sale.invoice} has {told}, asked for was {wanted}")


def see_the_gateway_agree(shop: Shop, sales: list[Sale]) -> None:
    for sale in sales:
        charges = shop.journal(f"charges?reference={sale.invoice}")
        told = [(charge["status"], charge["amount_minor"], charge["refunded_minor"]) for charge in charges]
        wanted = [("captured", int(sale.price * 100), int((sale.asked_back or 0) * 100))]
        check(told == wanted, f"{sale.invoice} is {told} at the gateway, asked for was {wanted}")


def see_the_ledger_agree(shop: Shop, customers: list[str], sales: list[Sale]) -> None:
    booked = defaultdict(list)
    for customer in customers:
        report = shop.post("/v1/ledger/verify", {"customer_id": customer, "seal": True}, 200)
        check(report["findings"] == [], f"{customer}'s books are not as they should be: {report['findings']}")
        for one in shop.pages(f"/v1/customers/{customer}/transactions"):
            booked[one["invoice_id"]].append((one["type"], money(one["amount"])))
    for sale in sales:
        refunds = [("refund", sale.asked_back)] if sale.asked_back else []
        told, wanted = sorted(booked.pop(sale.invoice, [])), [("charge", sale.price), *refunds]
        check(told == wanted, f"the ledger has {told} of {sale.invoice}, asked for was {wanted}")
    check(not booked, f"the ledger has what nobody asked for: {dict(booked)}")
    left = sum(sale.price - (sale.asked_back or 0) for sale in sales)

    def balanced() -> bool | None:
        # The platform's accounts are counted from the table's stream, a moment later.
        account = shop.get("/v1/ledger/accounts/gateway_clearing:sandbox")["data"]
        return True if [one["balance"] for one in account] == [str(left)] else None

    until(f"the gateway's clearing account to be {left}", balanced, QUIET_SECONDS, every=3)
    check(shop.get("/v1/ledger/trial-balance")["balanced"], "the trial balance is not zero")


def money(shown: dict) -> Decimal:
    return Decimal(shown["amount"])


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
