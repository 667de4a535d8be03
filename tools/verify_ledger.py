#!/usr/bin/env python3
"""Verifies an exported chain of a customer's journals, offline and without any code of Fatura's.

Reads what `GET /v1/ledger/{customer_id}` answered, all pages of it: each file holds one answer, or one answer a line.

    python3 tools/verify_ledger.py page-1.json page-2.json [--head HASH]

Each journal is put into canonical text, hashed with its number and the hash of the one before it, and compared with its seal.
`--head` is a hash that was written down elsewhere, earlier or later: without one, that the end was cut off can't be noticed.
Journals without a seal are counted and not judged: the stream seals them moments after they are posted. Debits and credits of
every journal are added up, too. Ends with 0 if everything is as it was sealed, and with 1 and a line for each fault if not.
"""

import argparse
import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path

NOTHING_BEFORE = "0" * 64


def free(text: str) -> str:
    """Free text has its length in bytes before it, so that no text can pass for another line."""
    return f"{len(text.encode())} {text}"


def canonical(journal: dict) -> str:
    lines = ["fatura-journal 1", f"id {journal['id']}", f"type {journal['type']}", f"at {journal['created_at']}"]
    if journal["mirrors"]:
        lines.append(f"mirrors {journal['mirrors']}")
    if journal["invoice_id"]:
        lines.append(f"invoice {journal['invoice_id']}")
    if journal["gateway"]:
        lines.append(f"gateway {journal['gateway']}")
        lines.append(f"gateway_reference {free(journal['gateway_reference'])}")
    for name in ("by", "reference", "description"):
        if journal[name]:
            lines.append(f"{name} {free(journal[name])}")
    if journal["reverses"]:
        lines.append(f"reverses {journal['reverses']}")
    for entry in journal["entries"]:
        amount = entry["amount"]
        lines.append(f"entry {entry['direction']} {entry['account']} {amount['amount']} {amount['currency']}")
    return "\n".join(lines) + "\n"


def unbalanced(journal: dict) -> list[str]:
    sums: dict[str, Decimal] = {}
    for entry in journal["entries"]:
        sign = 1 if entry["direction"] == "debit" else -1
        currency = entry["amount"]["currency"]
        sums[currency] = sums.get(currency, Decimal(0)) + sign * Decimal(entry["amount"]["amount"])
    return [currency for currency, left in sums.items() if left]


def verify(lines: list[dict], head: str | None) -> tuple[int, list[str]]:
    sealed = sorted((line for line in lines if line["seal"]), key=lambda line: line["seal"]["number"])
    faults = []
    hashes = {NOTHING_BEFORE: 0}
    previous, number = NOTHING_BEFORE, 0
    for line in sealed:
        journal, seal = line["journal"], line["seal"]
        text = f"{seal['previous_hash']}\n{seal['number']}\n{canonical(journal)}"
        if hashlib.sha256(text.encode()).hexdigest() != seal["hash"]:
            faults.append(f"{journal['id']}: is not what was sealed")
        if (seal["number"], seal["previous_hash"]) != (number + 1, previous):
            faults.append(f"{journal['id']}: number {seal['number']} does not follow number {number}")
        previous, number = seal["hash"], seal["number"]
        hashes[previous] = number
    for line in lines:
        for currency in unbalanced(line["journal"]):
            faults.append(f"{line['journal']['id']}: debits and credits differ in {currency}")
    if head and head not in hashes:
        faults.append(f"{head}: is the hash of no link")
    return len(sealed), faults


def read(paths: list[Path]) -> list[dict]:
    lines = []
    customers = set()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            answers = [json.loads(text)]
        except json.JSONDecodeError:
            answers = [json.loads(line) for line in text.splitlines() if line.strip()]
        for answer in answers:
            customers.add(answer["customer_id"])
            lines.extend(answer["data"])
    if len(customers) != 1:
        raise SystemExit(f"expected the export of one customer, not of {len(customers)}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify an exported chain of journals.")
    parser.add_argument("pages", nargs="+", type=Path, help="answers of GET /v1/ledger/{customer_id}")
    parser.add_argument("--head", help="a hash written down elsewhere that must be in the chain")
    arguments = parser.parse_args()
    lines = read(arguments.pages)
    sealed, faults = verify(lines, arguments.head)
    print(f"{sealed} sealed, {len(lines) - sealed} not yet, {len(faults)} faults")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
