"""Chooses whom to ask for on the tour.

A workspace's history comes in; out comes a customer who bought both online and in stores, with a
raw identifier where the workspace knows one (the demo's ``truth.csv``), and the store they go to.
Called by the tour.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from recsys.config import Config
from recsys.errors import DataError
from recsys.history import History
from recsys.identity import KeyedHash

TRUTH = "truth.csv"


@dataclass(frozen=True)
class Customer:
    """A customer to ask for."""

    customer_id: str
    email: str | None
    """Raw e-mail that names them, where one is known."""
    location_id: str | None
    """Store where they bought most often."""
    lines: int
    """Order lines in their history."""

    @property
    def identification(self) -> dict[str, object]:
        """How a request names them."""
        if self.email is not None:
            return {"identifier": {"type": "email", "value": self.email}}
        return {"customer_id": self.customer_id}


def choose_customer(config: Config, history: History) -> Customer:
    """Choose the customer with the longest history of those who bought in most channels.

    Raises
    ------
    DataError
        When nobody in the history is known.
    """
    emails = _emails(config.folder / TRUTH, history, KeyedHash.load(config))
    customers = history.table("customers").select(["customer_id", "channels", "lines"]).to_pylist()
    if not customers:
        raise DataError(f"{history.folder}: no customer is known, so there is nobody to ask for.")
    best = max(
        customers,
        key=lambda row: (
            row["customer_id"] in emails,
            (row["channels"] or "").count(","),
            row["lines"],
            row["customer_id"],
        ),
    )
    customer_id = best["customer_id"]
    return Customer(
        customer_id, emails.get(customer_id), _store(history, customer_id), int(best["lines"])
    )


def _emails(truth: Path, history: History, keyed: KeyedHash) -> dict[str, str]:
    """Customer → raw e-mail, of those that the truth file tells."""
    if not truth.exists():
        return {}
    with truth.open(encoding="utf-8", newline="") as file:
        raw = [row["value"] for row in csv.DictReader(file) if row["type"] == "email"]
    known = history.table("identifiers").select(["type", "value", "customer_id"])
    known = known.filter(pc.equal(known["type"], "email"))
    pairs = zip(known["value"].to_pylist(), known["customer_id"].to_pylist(), strict=True)
    stored = dict(pairs)
    found = ((stored.get(keyed.identifier("email", value)), value) for value in sorted(raw))
    return {customer_id: value for customer_id, value in found if customer_id is not None}


def _store(history: History, customer_id: str) -> str | None:
    con = history.connect()
    try:
        lines = con.table("lines")
        own = lines.filter(lines.customer_id == customer_id, lines.channel == "pos")
        counted = con.to_pyarrow(own.location_id.value_counts(name="n")).to_pylist()
    finally:
        con.disconnect()
    stores = [(row["n"], row["location_id"]) for row in counted if row["location_id"] is not None]
    return max(stores)[1] if stores else None
