"""An invoice's life over HTTP: made, charged, paid, checked at the gateway, given back. And a bill's: two currencies, one
invoice, paid."""

import secrets
import sys
from datetime import datetime, timedelta, timezone

from local import Failure, http, main, stack_environment, until

PAID_SECONDS = 150  # a lost message is found by the sweep after two minutes
TOTAL = {"amount": "122.05", "currency": "BRL"}
TOTAL_MINOR = 12_205
BY_CURRENCY = {"GEL": "27.30", "USD": "10.00"}


class Shop:
    """A client of the API, with the operator's key."""

    def __init__(self, stack: dict[str, str]) -> None:
        self.stack = stack

    def get(self, path: str) -> dict:
        return self.expect(200, "GET", path)

    def post(self, path: str, body: dict, status: int) -> dict:
        return self.expect(status, "POST", path, body)

    def expect(self, expected: int, method: str, path: str, body: dict | None = None) -> dict:
        headers = {"Authorization": f"Bearer {self.stack['OPERATOR_KEY']}"}
        if method == "POST":
            headers["Idempotency-Key"] = f"demo-{secrets.token_hex(12)}"
        status, answer = http(method, f"{self.stack['API_URL']}{path}", body, headers)
        check(status == expected, f"{method} {path} answered {status}, not {expected}: {answer}")
        return answer

    def journal(self, invoice: str) -> list[dict]:
        """What the gateway itself says that it did."""
        status, answer = http("GET", f"{self.stack['SANDBOX_URL']}/charges?reference={invoice}")
        check(status == 200, f"the sandbox's journal answered {status}: {answer}")
        return answer["data"]

    def until_status(self, invoice: str, wanted: str) -> dict:
        def reached() -> dict | None:
            shown = self.get(f"/v1/invoices/{invoice}")
            return shown if shown["status"] == wanted else None

        return until(f"invoice {invoice} to be {wanted}", reached, PAID_SECONDS, every=0.3)


def program() -> None:
    shop = Shop(stack_environment())
    invoice = charged_invoice(shop)
    see_it_paid(shop, invoice)
    give_it_back(shop, invoice)
    see_the_bill_paid(shop, closed_bill(shop))
    print("\nAll of it as it should be.")


def customer_with_a_card(shop: Shop) -> str:
    tell("A customer with a card")
    email = f"ana.{secrets.token_hex(4)}@example.com"
    customer = shop.post("/v1/customers", {"name": "Ana Souza", "email": email}, 201)["id"]
    card = {"type": "credit_card", "token": "tok_visa", "brand": "visa", "last4": "4242"}
    method = shop.post(f"/v1/customers/{customer}/payment-methods", card, 201)["id"]
    show(customer=customer, payment_method=method)
    return customer


def charged_invoice(shop: Shop) -> str:
    customer = customer_with_a_card(shop)
    tell("An invoice of three lines")
    items = [
        {"description": "Plan", "quantity": "1", "unit_price": "100.00"},
        {"description": "Seats", "quantity": "3", "unit_price": "7.35"},
        {"description": "Requests", "quantity": "0.5", "unit_price": "0.01"},
    ]
    invoice = shop.post("/v1/invoices", {"customer_id": customer, "currency": "BRL", "items": items}, 201)
    check(invoice["total"] == TOTAL, f"the total is {invoice['total']}, not {TOTAL}")
    show(invoice=invoice["id"], status=invoice["status"])
    for item in invoice["items"]:
        show(**{f"{item['quantity']} × {item['unit_price']}": f"{item['total']['amount']} {item['description']}"})
    show(total=money(invoice["total"]))

    tell("Charged")
    pending = shop.post(f"/v1/invoices/{invoice['id']}/charge", {}, 202)
    check(pending["status"] == "pending", f"it is {pending['status']}, not pending")
    show(status=pending["status"])
    return invoice["id"]


def see_it_paid(shop: Shop, invoice: str) -> None:
    paid = shop.until_status(invoice, "paid")
    check(paid["amount_paid"] == TOTAL, f"{paid['amount_paid']} is paid, not {TOTAL}")
    show(status=paid["status"], amount_paid=money(paid["amount_paid"]))

    tell("Its attempts and transactions")
    attempts = shop.get(f"/v1/invoices/{invoice}/attempts")["data"]
    for attempt in attempts:
        show(**{f"attempt {attempt['number']}": f"{attempt['status']} at {attempt['gateway']}"})
    check([attempt["status"] for attempt in attempts] == ["succeeded"], "there is not exactly one successful attempt")
    transactions = shop.get(f"/v1/customers/{paid['customer_id']}/transactions")["data"]
    for transaction in transactions:
        show(**{transaction["type"]: money(transaction["amount"])})
    check([transaction["amount"] for transaction in transactions] == [TOTAL], f"the books don't show {TOTAL} once")

    tell("The gateway's own journal")
    captured = [charge for charge in shop.journal(invoice) if charge["status"] == "captured"]
    for charge in captured:
        show(**{charge["id"]: f"{charge['status']} {charge['amount_minor']} minor units of {charge['currency']}"})
    told = [(charge["amount_minor"], charge["currency"]) for charge in captured]
    check(told == [(TOTAL_MINOR, "BRL")], f"the gateway captured {told}, not {TOTAL} once")


def give_it_back(shop: Shop, invoice: str) -> None:
    tell("Refunded")
    shop.post(f"/v1/invoices/{invoice}/refunds", {"reason": "a demonstration"}, 202)
    refunded = shop.until_status(invoice, "refunded")
    check(refunded["amount_refunded"] == TOTAL, f"{refunded['amount_refunded']} is given back, not {TOTAL}")
    show(status=refunded["status"], amount_refunded=money(refunded["amount_refunded"]))
    given_back = [charge["refunded_minor"] for charge in shop.journal(invoice)]
    check(given_back == [TOTAL_MINOR], f"the gateway gave back {given_back}, not {TOTAL_MINOR} once")


def closed_bill(shop: Shop) -> str:
    customer = customer_with_a_card(shop)

    tell("A bill for thirty days, to be settled in dollars")
    now = datetime.now(timezone.utc)
    period = {
        "period_start": now.isoformat(timespec="milliseconds"),
        "period_end": (now + timedelta(days=30)).isoformat(timespec="milliseconds"),
    }
    bill = shop.post("/v1/bills", {"customer_id": customer, "settlement_currency": "USD", **period}, 201)["id"]
    for fee in (
        {"description": "Transfers abroad", "quantity": 4, "unit_price": "2.50", "currency": "USD"},
        {"description": "Transfers within Georgia", "quantity": 3, "unit_price": "9.10", "currency": "GEL"},
    ):
        fee["reference"] = fee["description"]
        shown = shop.post(f"/v1/bills/{bill}/line-items", fee, 201)
    again = shop.post(f"/v1/bills/{bill}/line-items", fee, 201)
    check(again["line_item_count"] == 2, "the same reference twice is more than one line item")
    check(shown["total"]["by_currency"] == BY_CURRENCY, f"it comes to {shown['total']}, not {BY_CURRENCY}")
    show(bill=bill, status=shown["status"])
    show(**shown["total"]["by_currency"])
    show(**{"about": money(shown["total"]["converted"])})

    tell("Closed")
    closed = shop.post(f"/v1/bills/{bill}/close", {}, 200)
    converted = closed["total"]["converted"]
    check(money(converted) == "20.00 USD", f"it comes to {money(converted)}, not 20.00 USD")
    check(not converted["indicative"], "a closed bill's conversion is indicative still")
    show(status=closed["status"], total=money(converted))
    for of, rate in converted["rates"].items():
        show(**{f"1 {of}": f"{rate} USD, by {converted['rate_source']}"})
    return bill


def see_the_bill_paid(shop: Shop, bill: str) -> None:
    def settled() -> dict | None:
        shown = shop.get(f"/v1/bills/{bill}")
        return shown if shown["settlement"]["status"] == "settled" else None

    settlement = until(f"bill {bill} to be settled", settled, PAID_SECONDS, every=0.3)["settlement"]
    [invoice] = [made["invoice_id"] for made in settlement["invoices"]]
    paid = shop.until_status(invoice, "paid")
    check(money(paid["amount_paid"]) == "20.00 USD", f"{paid['amount_paid']} is paid, not 20.00 USD")
    for item in paid["items"]:
        show(**{money(item["total"]): item["description"]})
    show(invoice=invoice, status=paid["status"], amount_paid=money(paid["amount_paid"]))
    told = [(charge["amount_minor"], charge["currency"]) for charge in shop.journal(invoice)]
    check(told == [(2_000, "USD")], f"the gateway captured {told}, not 20.00 USD once")


def tell(step: str) -> None:
    print(f"\n{step}")


def show(**facts: object) -> None:
    for name, value in facts.items():
        print(f"  {name:<16} {value}")
    sys.stdout.flush()


def money(amount: dict) -> str:
    return f"{amount['amount']} {amount['currency']}"


def check(holds: bool, deviation: str) -> None:
    if not holds:
        raise Failure(f"This is not as it should be: {deviation}")


if __name__ == "__main__":
    main(program)
