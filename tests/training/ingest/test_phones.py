"""A phone number is one identifier, in any notation of a till, a shop or a request."""

from typing import Any

from recsys.history.versions import History
from recsys.identity.hashing import KeyedHash

TOML = """
[workspace]
currency = "GBP"
time_zone = "Europe/London"
[sources.till]
kind = "order_lines"
path = "till.csv"
channel = "pos"
[sources.till.columns]
order_id = "order"
item_id = "sku"
occurred_at = "time"
quantity = "qty"
unit_price = "price"
[sources.till.identifiers]
phone = "phone"
loyalty_card = "card"
account = "account"
[sources.paris]
kind = "order_lines"
path = "paris.csv"
channel = "web"
country = "FR"
[sources.paris.columns]
order_id = "order"
item_id = "sku"
occurred_at = "time"
quantity = "qty"
unit_price = "price"
[sources.paris.identifiers]
phone = "phone"
"""
HEADER = "order,time,sku,qty,price,phone,card,account\n"


def customers(workspace: Any) -> dict[str, str | None]:
    return {row["order_id"]: row["customer_id"] for row in workspace.table()}


def test_one_phone_is_one_customer(workspace: Any) -> None:
    typed = [
        "+44 7700 900001",
        "07700 900001",
        "0044 7700 900001",
        "+44 (0)7700 900001",
        "447700900001",
        "7700900001",
        "07700-900001 ext 12",
    ]
    lines = [f"{n},2026-01-05 10:0{n},tea,1,1.00,{phone},," for n, phone in enumerate(typed, 1)]
    workspace.write(
        omnibasket_toml=TOML,
        till_csv=HEADER + "\n".join(lines) + "\n8,2026-01-05 11:00,tea,1,1.00,07700 900002,,\n",
        paris_csv="order,time,sku,qty,price,phone\n1,2026-01-05,tea,1,1.00,+447700900001\n"
        "2,2026-01-05,tea,1,1.00,07 00 90 00 01\n3,2026-01-05,tea,1,1.00,+33 7 00 90 00 01\n",
    )
    workspace.ingest()
    found = customers(workspace)
    ann = {found[f"till:{n}"] for n in range(1, 8)} | {found["paris:1"]}
    assert len(ann) == 1
    assert found["till:8"] not in ann
    assert found["paris:2"] == found["paris:3"]
    assert found["paris:2"] not in ann
    identifiers = History.open(workspace.config).table("identifiers").to_pylist()
    hashed = KeyedHash.load(workspace.config).identifier("phone", "07700 900001")
    assert [row["customer_id"] for row in identifiers if row["value"] == hashed] == [*ann]


def test_an_order_that_shows_a_phone_in_two_forms_shows_it_once(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml=TOML,
        till_csv=HEADER + "1,2026-01-05,tea,1,1.00,07700 900001,,\n"
        "1,2026-01-05,jam,1,1.00,+44 7700 900001,,\n",
        paris_csv="order,time,sku,qty,price,phone\n",
    )
    workspace.ingest()
    (phone,) = History.open(workspace.config).table("identifiers").to_pylist()
    assert phone["orders"] == 1
    assert len({row["customer_id"] for row in workspace.table()}) == 1


def test_what_a_spreadsheet_made_of_numbers_names_nobody(workspace: Any) -> None:
    lines = [
        "1,2026-01-05 10:00,tea,1,1.00,4.47701E+11,2.10001E+11,0",
        "2,2026-01-05 10:01,tea,1,1.00,4.47701E+11,2.10001E+11,0",
        '3,2026-01-05 10:02,tea,1,1.00,"4,47701E+11","2,10001E+11",0.0',
        "4,2026-01-05 10:03,tea,1,1.00,n/a,(not set),guest",
        "5,2026-01-05 10:04,tea,1,1.00,07700 900001,2100001,17",
    ]
    workspace.write(
        omnibasket_toml=TOML,
        till_csv=HEADER + "\n".join(lines) + "\n",
        paris_csv="order,time,sku,qty,price,phone\n",
    )
    workspace.ingest()
    found = customers(workspace)
    assert {found[f"till:{n}"] for n in range(1, 5)} == {None}
    assert found["till:5"] is not None
    identifiers = History.open(workspace.config).table("identifiers").to_pylist()
    assert {row["blocked"] for row in identifiers if row["customer_id"] is None} == {"rule"}
