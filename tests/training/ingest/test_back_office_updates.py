"""Back office updates become part of the next history."""

import os
import time
from collections.abc import Callable

from recsys.ledger.ledger import Ledger
from recsys.recommender.catalogue_updates import LiveItem, LiveLocation

from .conftest import Workspace

PRODUCTS = """
[sources.items]
kind = "products"
path = "items.csv"
"""
LINE = "1,2026-01-31 13:00:00,tea,1,2.50,ann@shop.de\n"


def tell(workspace: Workspace, at: int, *items: LiveItem) -> None:
    ledger = Ledger.open(workspace.config.ledger_url)
    ledger.backoffice.put_items(items, at)
    pier = LiveLocation(location_id="S9", kind="store", name="Pier", ships=True, delivery_days=3)
    ledger.backoffice.put_locations([pier], at)
    ledger.close()


def products(workspace: Workspace) -> dict[str, tuple[object, ...]]:
    names = ("title", "price_minor", "active", "in_catalogue")
    return {
        row["item_id"]: tuple(row[name] for name in names) for row in workspace.table("products")
    }


def test_what_was_told_stands_until_a_newer_export(shop: Callable[..., Workspace]) -> None:
    workspace = shop(LINE, settings=PRODUCTS)
    workspace.write(items_csv="item_id,title,price\ntea,Tea,2.50\ncup,Cup,8.00\n")
    assert workspace.ingest()["exported"].keys() == {"products"}
    now = int(time.time())
    told = [
        LiveItem(item_id="cup", price_minor=750, currency="EUR"),
        LiveItem(item_id="pot", title="Pot", active=True),
        LiveItem(item_id="tea", active=False),
    ]
    tell(workspace, now + 60, *told)
    summary = workspace.ingest()
    assert summary["changed"]
    assert products(workspace) == {
        "tea": ("Tea", 250, False, True),
        "cup": ("Cup", 750, True, True),
        "pot": ("Pot", None, True, True),
    }
    (pier,) = (row for row in workspace.table("locations") if row["location_id"] == "S9")
    assert (pier["name"], pier["ships"], pier["delivery_days"]) == ("Pier", True, 3)
    assert (pier["latitude"], pier["longitude"]) == (None, None)
    assert not workspace.ingest()["changed"]

    workspace.write(items_csv="item_id,title,price\ntea,Tea,2.60\ncup,Cup,8.00\n")
    os.utime(workspace.folder / "items.csv", (now + 120, now + 120))
    workspace.ingest()
    assert products(workspace) == {
        "tea": ("Tea", 260, True, True),
        "cup": ("Cup", 800, True, True),
    }


def test_without_an_export_one_product_told_is_not_the_whole_catalogue(
    shop: Callable[..., Workspace],
) -> None:
    workspace = shop(LINE)
    workspace.ingest()
    tell(workspace, int(time.time()), LiveItem(item_id="pot", title="Pot"))
    assert workspace.ingest()["exported"] == {}
    found = products(workspace)
    assert found["pot"] == ("Pot", None, True, True)
    assert found["tea"] == (None, 250, True, False)
