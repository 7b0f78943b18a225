"""Orders: counted once, corrected, cancelled, voided, returned."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Workspace, shop_in

ONE = (
    "A1,2026-01-05 10:00:00,tea,1,3.50,ann@shop.de\nA1,2026-01-05 10:00:00,jam,2,2.00,ann@shop.de\n"
)
TWO = "A2,2026-01-06 10:00:00,tea,1,3.50,bob@shop.de\n"

TILLS = """
[workspace]
currency = "USD"
time_zone = "America/New_York"
[sources.tills]
kind = "till_tickets"
path = "till"
[sources.tills.columns]
order_id = "ticket"
line_no = "line"
location_id = "store"
occurred_at = "time"
item_id = "sku"
quantity = "qty"
unit_price = "price"
discount = "discount"
line_type = "type"
return_of = "original"
[sources.tills.identifiers]
loyalty_card = "card"
"""
TILL_HEADER = "ticket,line,store,time,sku,qty,price,discount,type,original,card\n"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has ingested the first order."""
    workspace = shop_in(tmp_path_factory.mktemp("begun"))(ONE)
    assert workspace.ingest()["changed"]
    return workspace.folder


@pytest.fixture
def later(begun: Path, tmp_path: Path) -> Workspace:
    """A copy of it."""
    return Workspace(Path(shutil.copytree(begun, tmp_path / "later")))


def test_a_line_has_utc_time_and_minor_units(shop: Callable) -> None:
    workspace = shop(ONE)
    summary = workspace.ingest()
    jam, tea = sorted(workspace.table(), key=lambda row: row["item_id"])
    assert jam["order_id"] == "shop:A1"
    assert jam["occurred_at"].isoformat() == "2026-01-05T09:00:00+00:00"
    assert (jam["quantity"], jam["unit_price_minor"], jam["amount_minor"]) == (2.0, 200, 400)
    assert (tea["currency"], tea["channel"], tea["kind"]) == ("EUR", "web", "sale")
    assert sorted(row["line_no"] for row in (jam, tea)) == [1, 2]
    assert jam["customer_id"] == tea["customer_id"]
    assert (summary["orders"], summary["lines"], summary["customers"]) == (1, 2, 1)


def test_the_same_export_again_adds_nothing(later: Workspace) -> None:
    workspace = later
    assert not workspace.ingest()["changed"]
    workspace.write(shop__copy_csv=(workspace.folder / "shop/1.csv").read_bytes())
    assert not workspace.ingest()["changed"]


def test_overlapping_exports_count_an_order_once(shop: Callable) -> None:
    workspace = shop(ONE, ONE + TWO)
    summary = workspace.ingest()
    assert workspace.items() == [
        ("shop:A1", "jam", 2.0),
        ("shop:A1", "tea", 1.0),
        ("shop:A2", "tea", 1.0),
    ]
    assert summary["rows"]["superseded"] == 2


def test_a_later_export_corrects_an_order_and_keeps_the_others(shop: Callable) -> None:
    workspace = shop(ONE + TWO)
    workspace.ingest()
    workspace.write(
        shop__9_csv=(workspace.folder / "shop/1.csv").read_text().split("\n")[0] + "\n"
        "A1,2026-01-05 10:00:00,tea,5,3.50,ann@shop.de\n"
    )
    workspace.ingest()
    assert workspace.items() == [("shop:A1", "tea", 5.0), ("shop:A2", "tea", 1.0)]


def test_an_export_that_is_gone_stays_in_the_history(shop: Callable) -> None:
    workspace = shop(ONE, TWO)
    workspace.ingest()
    (workspace.folder / "shop/1.csv").unlink()
    workspace.write(shop__3_csv="order,time,sku,qty,price,email\nA3,2026-01-07,tea,1,1,x@y.de\n")
    workspace.ingest()
    assert {row["order_id"] for row in workspace.table()} == {"shop:A1", "shop:A2", "shop:A3"}


def test_an_older_export_does_not_win_after_every_order_of_it_was_replaced(shop: Callable) -> None:
    workspace = shop(ONE, ONE.replace("tea,1", "tea,7"))
    workspace.ingest()
    workspace.write(shop__3_csv="order,time,sku,qty,price,email\n" + TWO)
    workspace.ingest()
    assert ("shop:A1", "tea", 7.0) in workspace.items()


def test_an_order_written_twice_in_one_file_counts_once(shop: Callable) -> None:
    filler = "".join(f"B{n},2026-01-05,tea,1,3.50,\n" for n in range(40))
    workspace = shop(ONE + filler + ONE)
    summary = workspace.ingest()
    assert [i for i in workspace.items() if i[0] == "shop:A1"] == [
        ("shop:A1", "jam", 2.0),
        ("shop:A1", "tea", 1.0),
    ]
    assert summary["rows"]["repeated"] == 2


def test_two_equal_lines_side_by_side_are_two_lines(shop: Callable) -> None:
    workspace = shop("A1,2026-01-05,milk,1,1.00,\nA1,2026-01-05,milk,1,1.00,\n")
    workspace.ingest()
    assert len(workspace.table()) == 2


def test_split_orders_keep_lines_from_several_files(shop: Callable) -> None:
    workspace = shop(source='orders = "split"')
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(
        omnibasket_toml=toml.replace(
            'unit_price = "price"', 'unit_price = "price"\nline_no = "no"'
        ),
        shop__1_csv="order,no,time,sku,qty,price,email\nA1,1,2026-01-05,tea,1,3.5,\n",
        shop__2_csv="order,no,time,sku,qty,price,email\nA1,2,2026-01-05,jam,1,2,\n"
        "A1,1,2026-01-05,tea,4,3.5,\n",
    )
    workspace.ingest()
    assert workspace.items() == [("shop:A1", "jam", 1.0), ("shop:A1", "tea", 4.0)]


def test_rules_leave_out_what_is_no_product(shop: Callable) -> None:
    lines = ONE + "A1,2026-01-05 10:00:00,POST,1,4.90,a@b.de\nA1,2026-01-05,gift_10,1,10,a@b.de\n"
    lines += "A1,2026-01-05 10:00:00,sample,1,0.00,a@b.de\nA1,2026-01-05,cup,0,3,a@b.de\n"
    workspace = shop(lines, settings='[rules]\nnon_product_ids = ["POST", "gift_*"]\n')
    summary = workspace.ingest()
    assert {item for _, item, _ in workspace.items()} == {"tea", "jam"}
    assert summary["rows"]["left_out"] == {"non_product": 2, "free": 1, "zero_quantity": 1}
    assert {row["item_id"] for row in workspace.table("products")} == {"tea", "jam"}


def test_changed_rules_work_on_exports_that_are_gone(later: Workspace) -> None:
    workspace = later
    (workspace.folder / "shop/1.csv").write_text("order,time,sku,qty,price,email\n" + TWO)
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(omnibasket_toml=toml + '[rules]\nnon_product_ids = ["jam"]\n')
    workspace.ingest()
    assert workspace.items() == [("shop:A1", "tea", 1.0), ("shop:A2", "tea", 1.0)]


def test_cancelled_orders_are_gone(shop: Callable) -> None:
    workspace = shop()
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(
        omnibasket_toml=toml.replace("[sources.shop.id", 'cancelled = "void"\n[sources.shop.id'),
        shop__1_csv="order,time,sku,qty,price,email,void\n"
        "A1,2026-01-05,tea,1,3.5,,yes\nA1,2026-01-05,jam,1,2,,\nA2,2026-01-05,tea,1,3.5,,no\n",
    )
    summary = workspace.ingest()
    assert workspace.items() == [("shop:A2", "tea", 1.0)]
    assert summary["rows"]["left_out"] == {"cancelled": 2}


def test_voids_strike_out_an_earlier_line(workspace) -> None:
    workspace.write(
        omnibasket_toml=TILLS,
        till__1_csv=TILL_HEADER + "T1,1,s1,2026-01-05 09:00,tea,1,3.00,0,sale,,C1\n"
        "T1,2,s1,2026-01-05 09:00,jam,2,2.00,0.50,sale,,C1\n"
        "T1,3,s1,2026-01-05 09:00,tea,-1,3.00,0,void,,C1\n"
        "T1,4,s1,2026-01-05 09:00,tea,1,3.00,0,voided,,C1\n"
        "T2,1,s1,2026-01-05 09:05,tea,1,3.00,0,void,,C1\n",
    )
    summary = workspace.ingest()
    (line,) = workspace.table()
    assert (line["item_id"], line["amount_minor"], line["discount_minor"]) == ("jam", 350, 50)
    assert summary["rows"]["left_out"] == {"void": 4}
    assert summary["notes"] == {"void_without_a_line": 1}


def test_returns_find_their_order(workspace) -> None:
    workspace.write(
        omnibasket_toml=TILLS,
        till__1_csv=TILL_HEADER + "T1,1,s1,2026-01-05 09:00,tea,2,3.00,0,sale,,C1\n"
        "T2,1,s1,2026-01-06 09:00,tea,1,3.00,0,sale,,C1\n"
        "T3,1,s2,2026-01-07 09:00,tea,2,3.00,0,return,,C1\n"  # no number: the sale with enough
        "T4,1,s2,2026-01-08 09:00,tea,-1,3.00,0,return,T2,C1\n"  # known number
        "T5,1,s2,2026-01-09 09:00,tea,1,3.00,0,return,T99,C2\n"  # nobody sold this
        "T6,1,s2,2026-01-04 09:00,tea,1,3.00,0,return,,C1\n",  # before anything was sold
    )
    summary = workspace.ingest()
    back = {r["order_id"]: r["return_of"] for r in workspace.table() if r["kind"] == "return"}
    assert back == {
        "tills:T3": "tills:T1",
        "tills:T4": "tills:T2",
        "tills:T5": None,
        "tills:T6": None,
    }
    assert all(
        r["amount_minor"] < 0 and r["quantity"] < 0
        for r in workspace.table()
        if r["kind"] == "return"
    )
    assert (summary["returns"], summary["returns_matched"]) == (4, 2)
    assert summary["notes"]["return_of_unknown_order"] == 1


def test_sources_of_one_system_share_order_numbers(shop: Callable) -> None:
    workspace = shop(ONE)
    toml = (workspace.folder / "omnibasket.toml").read_text()
    other = toml[toml.index("[sources.shop]") :].replace("sources.shop", "sources.market")
    other = other.replace('path = "shop"', 'path = "market"')
    workspace.write(market__1_csv=(workspace.folder / "shop/1.csv").read_text())
    workspace.write(omnibasket_toml=toml + other)
    workspace.ingest()
    assert len(workspace.table()) == 4
    workspace.write(
        omnibasket_toml=(toml + other).replace('channel = "web"', 'channel = "web"\nsystem = "s"')
    )
    workspace.ingest()
    assert len(workspace.table()) == 2


@pytest.mark.parametrize("removed", ["market"])
def test_a_source_that_is_no_longer_named_leaves_the_history(
    later: Workspace, removed: str
) -> None:
    workspace = later
    toml = (workspace.folder / "omnibasket.toml").read_text()
    other = toml[toml.index("[sources.shop]") :].replace("sources.shop", f"sources.{removed}")
    workspace.write(omnibasket_toml=toml + other)
    workspace.ingest()
    assert len(workspace.table()) == 4
    workspace.write(omnibasket_toml=toml)
    workspace.ingest()
    assert len(workspace.table()) == 2
    workspace.write(omnibasket_toml=toml + other)
    workspace.ingest()
    assert len(workspace.table()) == 4  # reported again, it is restored


def test_orders_that_another_source_replaced_are_back_once_that_is_gone(shop: Callable) -> None:
    workspace = shop(ONE, source='system = "s"')
    toml = (workspace.folder / "omnibasket.toml").read_text()
    other = toml[toml.index("[sources.shop]") :].replace("sources.shop", "sources.erp")
    other = other.replace('path = "shop"', 'path = "erp"')
    header = "order,time,sku,qty,price,email\n"
    workspace.write(erp__1_csv=header + ONE.replace("tea,1", "tea,7"))
    workspace.write(omnibasket_toml=toml + other)
    workspace.ingest()
    assert ("s:A1", "tea", 7.0) in workspace.items()
    workspace.write(omnibasket_toml=toml)
    workspace.ingest()
    assert ("s:A1", "tea", 1.0) in workspace.items()


def test_an_old_export_that_is_copied_in_later_does_not_win_and_it_is_said(shop: Callable) -> None:
    workspace = shop(ONE + TWO)
    workspace.ingest()
    old = "A1,2026-01-05 10:00:00,tea,9,3.50,ann@shop.de\n"
    workspace.write(shop__backup_csv="order,time,sku,qty,price,email\n" + old)
    summary = workspace.ingest()
    assert ("shop:A1", "tea", 1.0) in workspace.items()
    assert summary["notes"]["orders_of_an_older_export_read_later"] == 1
    assert "shop/backup.csv" in summary["examples"]["orders_of_an_older_export_read_later"]
    assert summary["rows"]["superseded"] == 1


def test_rejects_of_a_replaced_export_stay_readable(shop: Callable) -> None:
    workspace = shop(ONE + "A9,2026-01-05,tea,x,1,\n", ONE)
    for _ in range(2):
        summary = workspace.ingest()
        assert summary["rows"]["rejected"] == {"bad_number": 1}
        assert [row["file"] for row in workspace.rejects()] == ["shop/1.csv"]
        workspace.write(shop__3_csv="order,time,sku,qty,price,email\n" + ONE + TWO)


def test_rows_that_do_not_add_up_fail_the_ingest(shop: Callable) -> None:
    from recsys.errors import DataError
    from recsys.ingest.accounting import accounts
    from recsys.ingest.parts import Part

    part = Part(
        source="shop",
        kind="order_lines",
        file="1.csv",
        content="",
        settings="",
        sequence=1,
        folder="",
        rows=5,
        repeated=1,
        rejected={"bad_time": 1},
    )
    assert accounts([part], {"shop": {"kept": 2, "free": 1}})["shop"]["left_out"] == {"free": 1}
    with pytest.raises(DataError, match=r"sources\.shop: the rows do not add up: read 5, but .* 4"):
        accounts([part], {"shop": {"kept": 1, "free": 1}})


def test_order_0_is_an_order_where_they_are_counted_from_it(shop: Callable) -> None:
    workspace = shop("0,2026-01-05,tea,1,1.00,\n1,2026-01-05,jam,1,1.00,\n")
    assert workspace.ingest()["orders"] == 2
    workspace = shop("0,2026-01-05,tea,1,1.00,\n7,2026-01-05,jam,1,1.00,\n")
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {"not_an_id": 1}
