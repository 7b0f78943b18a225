"""What ingest wrote is what the service reads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.config import parse
from recsys.data.keyed_hash import customer_id_of
from recsys.matrices.histories import unpack
from recsys.matrices.ids import item_key, order_key
from recsys.schema import LINES
from recsys.tracking.events import Identifier
from recsys.tracking.feedback import bring_in, history_rows
from recsys.tracking.ledger import Ledger

from .conftest import NOW, MakeEvent

ADA_ID = customer_id_of("email", "ada")


def line(
    customer_id: str | None, item_id: str, order_id: str, ts: int = NOW, **more: Any
) -> dict[str, Any]:
    return {"customer_id": customer_id, "item_id": item_id, "order_id": order_id, "ts": ts, **more}


def test_a_customer_may_span_batches() -> None:
    lines = [
        {
            "customer_id": f"c{n // 7}",
            "occurred_at": datetime.fromtimestamp(NOW + n, UTC),
            "order_id": f"o{n // 2}",
            "channel": "web",
            "item_id": f"i{n % 5}",
            "quantity": 1.0,
            "amount_minor": 250,
        }
        for n in range(30)
    ]
    table = pa.Table.from_pylist(lines, LINES)
    whole = list(history_rows(table.to_batches()))
    assert [customer_id for customer_id, _ in whole] == ["c0", "c1", "c2", "c3", "c4"]
    assert len(unpack(whole[0][1]).lines) == 7
    for size in (1, 3, 8):
        assert list(history_rows(table.to_batches(max_chunksize=size))) == whole


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
