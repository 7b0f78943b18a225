"""Numbers, flags and currencies: each column is read by its own values, nothing silently."""

from collections.abc import Callable
from typing import Any

import pytest

from recsys.errors import DataError

from .conftest import Workspace, shops_in


def prices(workspace: Any) -> dict[str, int]:
    """Price of each order's line in minor units."""
    return {r["order_id"].split(":")[1]: r["unit_price_minor"] for r in workspace.table()}


def lines(*pairs: tuple[str, str]) -> str:
    """Write one order per pair of quantity and price."""
    return "".join(
        f'{n},2026-01-05 10:00:00,tea,"{quantity}","{price}",\n'
        for n, (quantity, price) in enumerate(pairs, 1)
    )


#: Settings of a source, quantities and prices of its lines, the expected values (quantity and minor
#: units; None for a reject), and the reject reasons.
Case = tuple[str, list[tuple[str, str]], list[tuple[float, int] | None], dict[str, int]]
COLUMNS: dict[str, Case] = {
    "quantities and prices have formats of their own": (
        "",
        [("0.345", "1,79"), ("1.250", "1.234,50"), ("2", "12,00")],
        [(0.345, 179), (1.25, 123450), (2, 1200)],
        {},
    ),
    "yen are whole where points group them": (
        'currency = "JPY"',
        [("1", "2.980"), ("1", "480"), ("2", "24.800")],
        [(1, 2980), (1, 480), (2, 24800)],
        {},
    ),
    "yen are whole where commas group them": (
        'currency = "JPY"',
        [("1", "2,980"), ("1", "480"), ("2", "24,800")],
        [(1, 2980), (1, 480), (2, 24800)],
        {},
    ),
    "a decimal sign stated for all columns divides no yen": (
        'currency = "JPY"\ndecimal = ","',
        [("1", "24,800"), ("1", "480")],
        [None, (1, 480)],
        {"ambiguous_number": 1},
    ),
    "whole prices beside show a grouping but not of weights": (
        "",
        [("1.250", "480"), ("2", "2,980")],
        [None, (2, 298000)],
        {"ambiguous_number": 1},
    ),
    "a column that contradicts itself loses the fewer": (
        "",
        [("1", "3.50"), ("1", "4.20"), ("1", "5,10"), ("1", "1.234"), ("1", "7")],
        [(1, 350), (1, 420), None, None, (1, 700)],
        {"ambiguous_number": 1, "bad_number": 1},
    ),
    "what is no number is a reject and no crash": (
        "",
        [
            ("1", "3.50"),
            ("1", "4.20"),
            *(
                ("1", text)
                for text in ("1E3", "5.01235E+12", "12%", "1,23", "9" * 40, "1e400", "3.5 kg")
            ),
        ],
        [(1, 350), (1, 420), *[None] * 7],
        {"bad_number": 7},
    ),
    "a sign that is decimal in one column": (
        "",
        [("1.250", "3.50"), ("2", "3.50")],
        [(1.25, 350), (2, 350)],
        {},
    ),
    "is no grouping in another": (
        "",
        [("1.250", "3,50"), ("2", "3,50")],
        [None, (2, 350)],
        {"ambiguous_number": 1},
    ),
}
NAMES = {name: f"s{n}" for n, name in enumerate(COLUMNS)}


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts of all sources, and the values read from their orders."""
    sources = {NAMES[name]: (said, lines(*rows)) for name, (said, rows, *_) in COLUMNS.items()}
    workspace = shops_in(tmp_path_factory.mktemp("columns"), sources)
    summary = workspace.ingest()
    return summary["sources"], {
        row["order_id"]: (row["quantity"], row["unit_price_minor"]) for row in workspace.table()
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_numbers_of_a_source(columns: Any, name: str) -> None:
    accounts, found = columns
    _, rows, expected, rejected = COLUMNS[name]
    assert [found.get(f"{NAMES[name]}:{n}") for n, _ in enumerate(rows, 1)] == expected
    assert accounts[NAMES[name]]["rejected"] == rejected


def test_what_is_ambiguous_is_rejected_and_says_what_to_set(shop: Callable) -> None:
    rows = [("1", "2.980")] * 3
    workspace = shop(lines(*rows))
    workspace.ingest()
    (reason,) = {row["reason"] for row in workspace.rejects()}
    assert reason == "ambiguous_number"
    assert "Set `decimal` under [sources.shop.columns]" in workspace.rejects()[0]["detail"]
    column = '{ column = "price", decimal = "," }'
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(omnibasket_toml=toml.replace('"price"', column))
    workspace.ingest()
    assert set(prices(workspace).values()) == {298000}


def test_prices_may_carry_their_currency(shop: Callable) -> None:
    rows = [("1", "€12.50"), ("1", "15.00 USD"), ("1", "1,250 JPY"), ("1", "3.00"), ("1", "$4.00")]
    workspace = shop(lines(*rows))
    summary = workspace.ingest()
    found = {(r["unit_price_minor"], r["currency"]) for r in workspace.table()}
    assert found == {(1250, "EUR"), (1500, "USD"), (1250, "JPY"), (300, "EUR")}
    assert summary["rows"]["rejected"] == {"currency_differs": 1}  # which dollars?
    assert workspace.rejects()[0]["detail"] == "unit_price = $4.00"


def test_a_price_that_contradicts_the_currency_column_is_a_reject(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml='[sources.items]\nkind = "products"\npath = "p.csv"\n',
        p_csv="item_id,price,currency\na,12.00 USD,USD\nb,€3.00,USD\nc,$4.00,usd\nd,5.00,EUR\n",
    )
    summary = workspace.ingest()
    found = {r["item_id"]: (r["price_minor"], r["currency"]) for r in workspace.table("products")}
    assert found.pop("b") == (None, None)  # known, and hidden
    assert found == {"a": (1200, "USD"), "c": (400, "USD"), "d": (500, "EUR")}
    assert summary["other_rows"]["rejected"] == {"currency_differs": 1}


FLAGS = (
    '[sources.till]\nkind = "till_tickets"\npath = "t.csv"\n[sources.till.columns]\n'
    'order_id = "bon"\noccurred_at = "zeit"\nitem_id = "artikel"\nquantity = "menge"\n'
    'cancelled = "storno"\n'
)


#: Single letters depend on the other words, so the first case is a file of its own.
WORDS = [
    ("O", "N"),
    ("Ja", "Nein"),
    ("annulé", "Non"),
    ("Storno", "0"),
    ("İptal", "Hayır"),
    ("はい", "-"),
    ("payment failed", "paid"),
    ("ملغي", "لا"),
    ("X", ""),
    ("2026-01-05 10:00:00", ""),
]


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], set[str]]:
    """Counts of the file with all words, and the accepted orders."""
    rows = [
        f"{case}-{n},2026-01-05 10:00:00,tea,1,{flag}\n"
        for case, (yes, no) in enumerate(WORDS)
        for n, flag in enumerate([no, yes, no, no], 1)
    ]
    head = "bon,zeit,artikel,menge,storno\n"
    workspace = Workspace(tmp_path_factory.mktemp("flags"))
    workspace.write(
        omnibasket_toml=FLAGS.replace("t.csv", "t"),
        t__1_csv=head + "".join(rows[:4]),
        t__2_csv=head + "".join(rows[4:]),
    )
    rows = workspace.ingest()["rows"]
    return rows, {order for order, *_ in workspace.items()}


@pytest.mark.parametrize("case", range(len(WORDS)), ids=lambda case: WORDS[case][0])
def test_flags_in_many_languages(flags: Any, case: int) -> None:
    standing = [n for n in range(1, 5) if f"till:{case}-{n}" in flags[1]]
    assert standing == [1, 3, 4]


def test_every_flag_is_accounted_for(flags: Any) -> None:
    assert flags[0]["left_out"] == {"cancelled": len(WORDS)}
    assert flags[0]["rejected"] == {}


def test_a_flag_that_nobody_knows_is_a_reject_unless_mapped(workspace: Any) -> None:
    rows = "".join(
        f"{n},2026-01-05,tea,1,{f}\n" for n, f in enumerate(["ok?", "Nein", "refund"], 1)
    )
    workspace.write(omnibasket_toml=FLAGS, t_csv="bon,zeit,artikel,menge,storno\n" + rows)
    assert workspace.ingest()["rows"]["rejected"] == {"unknown_value": 2}
    mapped = '{ column = "storno", map = { "ok?" = "no" }, otherwise = "yes" }'
    workspace.write(omnibasket_toml=FLAGS.replace('"storno"', mapped))
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {}
    assert summary["rows"]["left_out"] == {"cancelled": 2}


def test_ids_may_take_the_day_alone_from_a_time(shop: Callable) -> None:
    workspace = shop(
        "7,2026-01-05 10:00:00,tea,1,1.00,\n7,2026-01-05T10:00:30,mug,1,1.00,\n"
        "7,2026-01-06 09:00:00,tea,1,1.00,\n"
    )
    toml = (workspace.folder / "omnibasket.toml").read_text()
    spec = 'order_id = { columns = ["time", "order"], days = ["time"] }'
    workspace.write(omnibasket_toml=toml.replace('order_id = "order"', spec))
    workspace.ingest()
    assert {order for order, *_ in workspace.items()} == {"shop:2026-01-05/7", "shop:2026-01-06/7"}


def test_an_export_in_the_wrong_sign_fails_instead_of_being_read(shop: Callable) -> None:
    workspace = shop(lines(*[("1", "3,50")] * 30), source='decimal = "."')
    with pytest.raises(DataError, match=r"30 of 30 rows .*bad_number 30.*decimal"):
        workspace.ingest()
