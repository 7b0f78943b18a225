"""Chooses whom to ask for on the tour.

A workspace's history comes in; out comes a customer who bought both online and in stores, with a
raw identifiers where the workspace knows some (the demo's ``truth.csv``), and the store they go to.
Called by the tour and by the week.
"""

import csv
from collections.abc import Iterator
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
    card: str | None = None
    """Raw loyalty card of theirs, where one is known."""

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
    for customer in likely_customers(config, history):
        return customer
    raise DataError(f"{history.folder}: no customer is known, so there is nobody to ask for.")


def likely_customers(config: Config, history: History) -> Iterator[Customer]:
    """Yield customers, those first who bought in most channels, and of these the most.

    Whose e-mail is known comes before everybody whose e-mail is not.

    Parameters
    ----------
    config : Config
    history : History
    """
    keyed = KeyedHash.load(config)
    emails = _raw("email", config.folder / TRUTH, history, keyed)
    cards = _raw("loyalty_card", config.folder / TRUTH, history, keyed)
    customers = history.table("customers").select(["customer_id", "channels", "lines"]).to_pylist()
    customers.sort(
        key=lambda row: (
            row["customer_id"] in emails,
            (row["channels"] or "").count(","),
            row["lines"],
            row["customer_id"],
        ),
        reverse=True,
    )
    for row in customers:
        customer_id = row["customer_id"]
        yield Customer(
            customer_id,
            emails.get(customer_id),
            _store(history, customer_id),
            int(row["lines"]),
            cards.get(customer_id),
        )


def _raw(kind: str, truth: Path, history: History, keyed: KeyedHash) -> dict[str, str]:
    """Customer → raw identifier of one type, of those that the truth file tells."""
    if not truth.exists():
        return {}
    with truth.open(encoding="utf-8", newline="") as file:
        raw = [row["value"] for row in csv.DictReader(file) if row["type"] == kind]
    known = history.table("identifiers").select(["type", "value", "customer_id"])
    known = known.filter(pc.equal(known["type"], kind))
    pairs = zip(known["value"].to_pylist(), known["customer_id"].to_pylist(), strict=True)
    stored = dict(pairs)
    found = ((stored.get(keyed.identifier(kind, value)), value) for value in sorted(raw))
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
