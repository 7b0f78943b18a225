"""Personal data are never written to disk in plain text, not even in rejects."""

from collections.abc import Callable
from typing import Any

SHOPIFY = """
[sources.shop]
kind = "shopify_orders"
path = "shop"
"""
EVENTS = """
[sources.web]
kind = "ga4_events"
path = "events"
[sources.web.identifiers]
phone = "user.phone"
"""
LOGIN = '"user_id" : "jane-1976","user_pseudo_id":"GA1.77","user":{"phone":"555-0100"}'


def found(workspace: Any, *secrets: str) -> set[str]:
    """Return which of these texts occur in files written by the ingest."""
    files = [path for path in (workspace.folder / ".omnibasket").rglob("*") if path.is_file()]
    return {text for text in secrets for path in files if text.encode() in path.read_bytes()}


def test_a_row_that_cannot_be_split(shop: Callable[..., Any]) -> None:
    workspace = shop("A1,2026-01-05,tea,1,1.00,\nA2,2026-01-05,tea,1,1.00,jane@x.de,card-7777\n")
    workspace.ingest()
    (reject,) = workspace.rejects()
    assert (reject["line"], reject["reason"]) == ("3", "too_many_columns")
    assert found(workspace, "jane", "card-7777") == set()


def test_columns_in_the_wrong_place(shop: Callable[..., Any]) -> None:
    workspace = shop("A1,2026-01-05,tea,jane@x.de,1.00,\n")
    workspace.ingest()
    (reject,) = workspace.rejects()
    assert reject["detail"] == "quantity = (e-mail)"
    assert '"sku":"tea"' in reject["row"]
    assert found(workspace, "jane") == set()


def test_what_a_shop_knows_of_a_buyer(workspace: Any) -> None:
    header = "Name,Email,Created at,Lineitem sku,Lineitem quantity,Lineitem price,Billing Name\n"
    workspace.write(
        omnibasket_toml=SHOPIFY,
        shop__1_csv=header + "#1,jane@x.de,2026-01-05,tea,one,1.00,Jane Roe\n"
        "#2,jane@x.de,2026-01-05,tea,1,1.00,Jane Roe\n",
    )
    workspace.ingest()
    (reject,) = workspace.rejects()
    assert reject["detail"] == "quantity = one"
    assert found(workspace, "Jane", "jane") == set()


def test_events_that_cannot_be_read(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=EVENTS,
        events__1_ndjson="{" + LOGIN + "}\n{" + LOGIN + "\n"
        '{"event_name":"view_item","event_timestamp":"soon",' + LOGIN + "}\n",
    )
    summary = workspace.ingest()
    assert summary["other_rows"]["rejected"] == {"bad_time": 1, "missing_event": 1, "not_json": 1}
    assert "view_item" in workspace.rejects()[2]["row"]
    assert found(workspace, "jane-1976", "GA1.77", "555-0100") == set()
