"""What ingest wrote is what the service reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.config.toml_file import parse_config
from recsys.datasets.item_index import item_key, order_key
from recsys.history.versions import History
from recsys.identity.hashing import customer_id_of
from recsys.ledger.events.event_types import Identifier
from recsys.ledger.exchange.customer_rows import _ahead, packed, replace_customers
from recsys.ledger.ledger import Ledger
from tests.recsys.ledger.conftest import NOW, MakeEvent

ADA_ID = customer_id_of("email", "ada")


def line(
    customer_id: str | None, item_id: str, order_id: str, ts: int = NOW, **more: Any
) -> dict[str, Any]:
    return {"customer_id": customer_id, "item_id": item_id, "order_id": order_id, "ts": ts, **more}


def test_an_ingest_is_brought_in(
    ledger: Ledger, make_event: MakeEvent, write_history: Any, tmp_path: Path
) -> None:
    source = {"kind": "order_lines", "path": "x.csv", "system": "till"}
    config = parse_config(
        {"sources": {"lines": source, "items": {"kind": "products", "path": "p"}}},
        tmp_path / "omnibasket.toml",
    )
    seen = {"type": "email", "value": "ada", "own_id": ADA_ID, "customer_id": ADA_ID}
    blocked = {"type": "loyalty_card", "value": "0", "own_id": "cx", "customer_id": None}
    history = write_history(
        [
            line(ADA_ID, "tea", "till:2", ts=NOW - 60),
            line(ADA_ID, "milk", "till:1", ts=NOW - 90),
            line(ADA_ID, "milk", "till:9", ts=NOW - 30, quantity=-1.0, return_of="till:1"),
            line(None, "jam", "till:3"),
        ],
        identifiers=[blocked, seen],
    )
    late = make_event("purchase", "tea", identifier="ada", transaction_id="2")
    ledger.add_events([late], NOW)
    done = replace_customers(history, ledger, config)
    assert (done.customers, done.identifiers) == (1, 2)
    customer = ledger.customer(identifier=Identifier(type="email", value="ada"), as_of_ts=NOW)
    lines = customer.history.lines
    assert lines["item_key"].tolist() == [item_key("milk"), item_key("tea"), item_key("milk")]
    assert lines["order"].tolist() == [
        order_key("till:1"),
        order_key("till:2"),
        order_key("till:1"),
    ]
    assert ledger.meta()["history_version"] == "v1"
    assert replace_customers(history, ledger, config).customers == 1
    begun = packed(History.of(config, history.folder))
    again = replace_customers(history, ledger, config, rows=begun)
    assert (again.customers, again.written, again.removed) == (1, 0, 0)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_comes_is_worked_out_ahead_in_its_order(size: int) -> None:
    made = []

    def numbers() -> Iterator[int]:
        for number in range(7):
            made.append(number)
            yield number

    ahead = _ahead(numbers(), size)
    assert list(ahead) == made == [*range(7)]


def test_what_goes_wrong_ahead_is_told() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    ahead = _ahead(numbers(), 1)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk"):
        next(ahead)
