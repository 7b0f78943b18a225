"""Columns that together identify an order, and its time."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose
from training.init import samples
from training.init.exports import Export
from training.init.mapping import propose
from training.init.proposal import columns_of, value_of


def test_numbers_that_begin_anew_each_day(proposed: Propose) -> None:
    found = proposed(
        "receipt_no,sold_at,sku,qty,price\n"
        "1,2024-03-01 10:00,A,1,5.00\n1,2024-03-01 10:00,B,1,5.00\n1,2024-03-02 09:00,A,1,5.00\n"
    )
    assert found.columns["order_id"] == Column(columns=["sold_at", "receipt_no"], days=["sold_at"])


def test_a_return_under_its_orders_number_is_no_other_order(proposed: Propose) -> None:
    found = proposed(
        "receipt_no,sold_at,sku,qty,price\n1,2024-03-01 10:00,A,2,5.00\n"
        "2,2024-03-02 10:00,B,1,5.00\n1,2024-03-09 10:00,A,-1,5.00\n"
    )
    assert found.columns["order_id"] == "receipt_no"


@pytest.mark.parametrize("customer", [True, False])
def test_goods_that_are_sent_later_are_of_the_same_order(customer: bool, proposed: Propose) -> None:
    lines = "order_no,shipped_on,channel,customer_id,sku,qty,price\n"
    for number in range(501, 513):
        who = f"C{number % 5}" if customer else ""
        for sku, late in (("A", 0), ("B", 6 if number % 4 == 0 else 0)):
            day = f"2024-03-{number - 500 + late:02}"
            lines += f"{number},{day},web,{who},{sku}{number % 3},1,5.00\n"
    assert proposed(lines).columns["order_id"] == "order_no"


def test_a_german_till_with_other_headers(proposed: Propose) -> None:
    """Filiale; Bon; Datum; Zeit; Artikel: tickets, not locations."""
    found = proposed(
        "Filiale;Bon;Datum;Zeit;Artikel;Bezeichnung;Menge;Preis;Summe;Karte\n"
        "01;17;03.04.2024;08:15;4711;Müsli;1;3,49;3,49;2600001\n"
        "01;17;03.04.2024;08:15;4713;Käse;1;2,50;2,50;2600001\n"
        "02;17;03.04.2024;08:20;4713;Käse;2;2,50;5,00;\n"
        "01;17;14.04.2024;09:15;4713;Käse;1;2,50;2,50;2600007\n"
    )
    assert found.kind == "till_tickets"
    assert found.columns["order_id"] == Column(columns=["Filiale", "Datum", "Bon"])
    assert found.columns["occurred_at"] == Column(columns=["Datum", "Zeit"], join=" ")
    assert found.columns["location_id"] == "Filiale"
    assert found.columns["amount"] == "Summe"
    assert found.identifiers == {"loyalty_card": "Karte"}


def test_two_shops_that_count_alike(proposed: Propose) -> None:
    found = proposed(
        "order_number,ordered_at,sku,qty,price,email\n"
        "#1001,2024-03-01 10:00,A,1,5.00,ann@shop.test\n"
        "#1001,2024-03-01 10:05,B,1,5.00,bob@shop.test\n"
    )
    assert found.columns["order_id"] == Column(columns=["order_number", "email"])


def test_customers_who_are_not_always_named_are_asked_about(proposed: Propose) -> None:
    found = proposed(
        "order_number,ordered_at,sku,qty,price,card_no\n"
        "1,2024-03-01 10:00,A,1,5.00,21000\n1,2024-03-01 10:05,B,1,5.00,22000\n"
        "2,2024-03-01 11:00,B,1,5.00,\n3,2024-03-01 11:00,B,1,5.00,\n"
    )
    (question,) = found.questions
    assert question.serious
    assert "21000" not in question.text


def test_one_order_from_two_warehouses_is_one(proposed: Propose) -> None:
    found = proposed(
        "order_id,ordered_at,warehouse,sku,qty,price,email\n"
        "1,2024-03-01 10:00,W1,A,1,5.00,ann@shop.test\n"
        "1,2024-03-01 10:00,W2,B,1,5.00,ann@shop.test\n"
    )
    assert found.columns["order_id"] == "order_id"


def test_a_number_that_is_enough_stays_alone(proposed: Propose) -> None:
    found = proposed(
        "order_id,ordered_at,store,sku,qty,price\n"
        "1,2024-03-01 10:00,S1,A,1,5.00\n1,2024-03-01 10:00,S1,B,1,5.00\n"
        "2,2024-03-02 10:00,S2,B,1,5.00\n"
    )
    assert found.columns["order_id"] == "order_id"


@pytest.mark.parametrize(
    "times", [("9:13 AM", "1:05 PM"), ("0913", "1305"), ("9:13:05", "13:05:00")]
)
def test_the_time_of_day_is_put_to_the_date(proposed: Propose, times: tuple[str, str]) -> None:
    a, b = times
    found = proposed(
        f"receipt_no,date,time,sku,qty,price\n1,05/13/2024,{a},A,1,5\n2,05/13/2024,{b},A,1,5\n"
    )
    assert found.columns["occurred_at"] == Column(columns=["date", "time"], join=" ")
    assert str(found.settings["time_format"]).startswith("%m/%d/%Y %")


def test_a_midnight_beside_a_time_of_day_is_a_date(proposed: Propose) -> None:
    found = proposed(
        "receipt_no,date,time,sku,qty,price\n1,2024-05-13 00:00:00,09:13,A,1,5\n"
        "1,2024-05-14 00:00:00,09:13,A,1,5\n"
    )
    assert found.columns["occurred_at"] == Column(columns=["date", "time"], join=" ", days=["date"])
    assert found.columns["order_id"] == Column(columns=["date", "receipt_no"], days=["date"])
    assert "time_format" not in found.settings


def test_what_begins_anew_is_seen_between_files(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        (tmp_path / f"day-{day}.csv").write_text(
            f"ticket,sold_at,sku,qty,price\n1,2024-03-0{day} 10:00,A,1,5.00\n"
        )
    found = propose(samples.look(tmp_path), "till_tickets")
    assert found.columns["order_id"] == Column(columns=["sold_at", "ticket"], days=["sold_at"])
    alone = propose(samples.look(tmp_path / "day-1.csv"), "till_tickets")
    assert alone.columns["order_id"] == "ticket"


@settings(max_examples=60, deadline=None)
@given(
    tickets=st.lists(
        st.tuples(
            st.sampled_from(["S1", "S2"]),
            st.integers(1, 3),
            st.integers(1, 4),
            st.integers(1, 3),
        ),
        min_size=1,
        max_size=12,
        unique=True,
    )
)
def test_two_tickets_never_become_one(tickets: list[tuple[str, int, int, int]]) -> None:
    """Whether numbers restart per store, till or day, different tickets have different ids."""
    columns = ("store", "till", "ticket", "sold_at", "sku", "qty", "price")
    rows, truth = [], []
    for n, (store, till, day, number) in enumerate(tickets):
        for item in "AB":
            values = (store, str(till), str(number), f"2024-03-0{day} 10:{n:02}", item, "1", "5.00")
            rows.append(dict(zip(columns, values, strict=True)))
            truth.append(n)
    found = propose(Export(Path("x.csv"), "csv", columns, tuple(rows)), "till_tickets")
    spec = found.columns["order_id"]
    ids = [value_of(row, spec) for row in rows]
    assert len(set(ids)) == len(tickets)
    assert {"ticket"} <= set(columns_of(spec))
    assert all(
        (ids[a] == ids[b]) == (truth[a] == truth[b]) for a in range(len(ids)) for b in (0, -1)
    )
