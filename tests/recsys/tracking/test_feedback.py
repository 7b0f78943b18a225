"""What ingest wrote is what the service reads."""

from pathlib import Path
from typing import Any

from recsys.config import parse
from recsys.data.keyed_hash import customer_id_of
from recsys.matrices.ids import item_key, order_key
from recsys.tracking.events import Identifier
from recsys.tracking.feedback import bring_in
from recsys.tracking.ledger import Ledger

from .conftest import NOW, MakeEvent

ADA_ID = customer_id_of("email", "ada")


def line(
    customer_id: str | None, item_id: str, order_id: str, ts: int = NOW, **more: Any
) -> dict[str, Any]:
    return {"customer_id": customer_id, "item_id": item_id, "order_id": order_id, "ts": ts, **more}


def test_an_ingest_is_brought_in(
    ledger: Ledger, make_event: MakeEvent, write_history: Any, tmp_path: Path
) -> None:
    source = {"kind": "order_lines", "path": "x.csv", "system": "till"}
    config = parse(
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
    done = bring_in(history, ledger, config)
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
    assert bring_in(history, ledger, config).customers == 1
