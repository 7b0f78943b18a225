"""Numbers, flags and currencies of exports: each column by its own values, nothing in silence."""

from collections.abc import Callable
from typing import Any

import pytest

from recsys.errors import DataError


def prices(workspace: Any) -> dict[str, int]:
    """Price of each order's line in minor units."""
    return {r["order_id"].split(":")[1]: r["unit_price_minor"] for r in workspace.table()}


def lines(*pairs: tuple[str, str]) -> str:
    """One order a pair of quantity and price."""
    return "".join(
        f'{n},2026-01-05 10:00:00,tea,"{quantity}","{price}",\n'
        for n, (quantity, price) in enumerate(pairs, 1)
    )


def test_quantities_and_prices_have_formats_of_their_own(shop: Callable) -> None:
    workspace = shop(lines(("0.345", "1,79"), ("1.250", "1.234,50"), ("2", "12,00")))
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {}
    assert prices(workspace) == {"1": 179, "2": 123450, "3": 1200}
    assert [row["quantity"] for row in workspace.table()] == [0.345, 1.25, 2.0]


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


@pytest.mark.parametrize("sign", [".", ","])
def test_yen_are_whole_whatever_groups_them(shop: Callable, sign: str) -> None:
    rows = [("1", "2,980"), ("1", "480"), ("2", "24,800")]
    workspace = shop(
        lines(*((q, p.replace(",", sign)) for q, p in rows)), source='currency = "JPY"'
    )
    workspace.ingest()
    assert prices(workspace) == {"1": 2980, "2": 480, "3": 24800}


def test_a_decimal_sign_stated_for_all_columns_divides_no_yen(shop: Callable) -> None:
    workspace = shop(lines(("1", "24,800"), ("1", "480")), source='currency = "JPY"\ndecimal = ","')
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {"ambiguous_number": 1}


def test_whole_prices_beside_show_a_grouping_but_not_of_weights(shop: Callable) -> None:
    workspace = shop(lines(("1.250", "480"), ("2", "2,980")))
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {"ambiguous_number": 1}
    assert prices(workspace) == {"2": 298000}


def test_a_column_that_contradicts_itself_loses_the_fewer(shop: Callable) -> None:
    workspace = shop(lines(("1", "3.50"), ("1", "4.20"), ("1", "5,10"), ("1", "1.234"), ("1", "7")))
    summary = workspace.ingest()
    assert summary["rows"]["rejected"] == {"ambiguous_number": 1, "bad_number": 1}
    assert prices(workspace) == {"1": 350, "2": 420, "5": 700}


@pytest.mark.parametrize("text", ["1E3", "5.01235E+12", "12%", "1,23", "9" * 40, "1e400", "3.5 kg"])
def test_what_is_no_number_is_a_reject_and_no_crash(shop: Callable, text: str) -> None:
    workspace = shop(lines(("1", "3.50"), ("1", "4.20"), ("1", text)))
    assert workspace.ingest()["rows"]["rejected"] == {"bad_number": 1}


def test_prices_may_carry_their_currency(shop: Callable) -> None:
    rows = [("1", "€12.50"), ("1", "15.00 USD"), ("1", "1,250 JPY"), ("1", "3.00"), ("1", "$4.00")]
    workspace = shop(lines(*rows))
    summary = workspace.ingest()
    found = {(r["unit_price_minor"], r["currency"]) for r in workspace.table()}
    assert found == {(1250, "EUR"), (1500, "USD"), (1250, "JPY"), (300, "EUR")}
    assert summary["rows"]["rejected"] == {"currency_differs": 1}  # whose dollars?
    assert workspace.rejects()[0]["detail"] == "unit_price = $4.00"


def test_a_price_that_contradicts_the_currency_column_is_a_reject(workspace: Any) -> None:
    workspace.write(
        omnibasket_toml='[sources.items]\nkind = "products"\npath = "p.csv"\n',
        p_csv="item_id,price,currency\na,12.00 USD,USD\nb,€3.00,USD\nc,$4.00,usd\nd,5.00,EUR\n",
    )
    summary = workspace.ingest()
    found = {r["item_id"]: (r["price_minor"], r["currency"]) for r in workspace.table("products")}
    assert found.pop("b") == (None, None)  # known, and not shown
    assert found == {"a": (1200, "USD"), "c": (400, "USD"), "d": (500, "EUR")}
    assert summary["other_rows"]["rejected"] == {"currency_differs": 1}


FLAGS = (
    '[sources.till]\nkind = "till_tickets"\npath = "t.csv"\n[sources.till.columns]\n'
    'order_id = "bon"\noccurred_at = "zeit"\nitem_id = "artikel"\nquantity = "menge"\n'
    'cancelled = "storno"\n'
)


@pytest.mark.parametrize(
    ("yes", "no"),
    [("Ja", "Nein"), ("annulé", "Non"), ("Storno", "0"), ("O", "N"), ("İptal", "Hayır"),
     ("はい", "-"), ("payment failed", "paid"), ("ملغي", "لا"), ("X", ""),
     ("2026-01-05 10:00:00", "")],
)  # fmt: skip
def test_flags_in_many_languages(workspace: Any, yes: str, no: str) -> None:
    flags = [no, yes, no, no]
    rows = "".join(f"{n},2026-01-05 10:00:00,tea,1,{flag}\n" for n, flag in enumerate(flags, 1))
    workspace.write(omnibasket_toml=FLAGS, t_csv="bon,zeit,artikel,menge,storno\n" + rows)
    summary = workspace.ingest()
    assert summary["rows"]["left_out"] == {"cancelled": 1}
    assert [order for order, *_ in workspace.items()] == ["till:1", "till:3", "till:4"]


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


def test_a_sign_that_is_decimal_in_one_column_is_no_grouping_in_another(shop: Any) -> None:
    workspace = shop("A1,2026-01-05,ham,1.250,3.50,\nA2,2026-01-05,ham,2,3.50,\n")
    workspace.ingest()
    assert sorted(row["quantity"] for row in workspace.table()) == [1.25, 2.0]
    workspace = shop('A1,2026-01-05,ham,1.250,"3,50",\nA2,2026-01-05,ham,2,"3,50",\n')
    assert workspace.ingest()["rows"]["rejected"] == {"ambiguous_number": 1}
