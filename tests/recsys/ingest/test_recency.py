"""Tests which of two exports is the later one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from recsys.config.settings import Source
from recsys.ingest.recency import dated_ts, in_order


@dataclass
class Read:
    file: str
    sequence: int
    newest_ts: int = 0
    source: str = "shop"
    kind: str = "order_lines"


def order(*parts: Read, recency: str = "content") -> list[str]:
    source = Source(kind="order_lines", path="x", recency=recency)  # type: ignore[arg-type]
    return [part.file for part in in_order(parts, {"shop": source})]  # type: ignore[type-var]


def test_numbers_in_names_decide_within_a_series() -> None:
    parts = [Read("o-10.csv", 1, 50), Read("o-9.csv", 2, 90), Read("o-2.csv", 3, 10)]
    assert order(*parts) == ["o-2.csv", "o-9.csv", "o-10.csv"]


@pytest.mark.parametrize(
    "names",
    [
        ("sales_12-2024.csv", "sales_01-2025.csv"),
        ("sales 12-31-2024.csv", "sales 01-05-2025.csv"),
        ("sales_31122024.csv", "sales_31012025.csv"),
        ("Umsatz 31.12.24.csv", "Umsatz 31.01.25.csv"),
        ("sales_Dec24.csv", "sales_Jan25.csv"),
        ("ventas_diciembre_2024.csv", "ventas_enero_2025.csv"),
        ("KW52_2024.csv", "KW01_2025.csv"),
        ("report Q4 2024.csv", "report Q1 2025.csv"),
        ("orders 2024-12-31.csv", "orders 2024-12-31 (1).csv"),
        ("orders_export.csv", "orders_export (1).csv", "orders_export (10).csv"),
    ],
)
def test_styles_of_dates_and_copies_in_names(names: tuple[str, ...]) -> None:
    parts = [Read(name, number, 7) for number, name in enumerate(reversed(names))]
    assert order(*parts) == [*names]


def test_a_copy_that_a_browser_numbered_wins_only_where_it_reaches_as_far() -> None:
    assert order(Read("o (1).csv", 2, 300), Read("o.csv", 1, 500)) == ["o (1).csv", "o.csv"]


def test_dates_in_names_are_read_as_dates() -> None:
    parts = [Read("o-01.06.2024.csv", 1), Read("o-31.05.2024.csv", 2), Read("o-02.06.2024.csv", 3)]
    assert order(*parts) == ["o-31.05.2024.csv", "o-01.06.2024.csv", "o-02.06.2024.csv"]


def test_an_old_copy_under_another_name_does_not_win() -> None:
    parts = [Read("orders.csv", 1, 500), Read("backup/orders.csv", 2, 300)]
    assert order(*parts) == ["backup/orders.csv", "orders.csv"]
    assert order(*parts, recency="read") == ["orders.csv", "backup/orders.csv"]


def test_an_old_copy_in_the_place_of_the_newer_one_does_not_win_either() -> None:
    assert order(Read("orders.csv", 1, 500), Read("orders.csv", 2, 300)) == ["orders.csv"] * 2
    parts = [Read("orders.csv", 2, 300), Read("orders.csv", 1, 500)]
    source = Source(kind="order_lines", path="x")
    assert [p.sequence for p in in_order(parts, {"shop": source})] == [2, 1]  # type: ignore[type-var]


def test_a_correction_that_reaches_as_far_wins() -> None:
    assert order(Read("orders.csv", 1, 500), Read("fixed.csv", 2, 500)) == [
        "orders.csv",
        "fixed.csv",
    ]


def test_changes_of_old_orders_in_a_series_win() -> None:
    parts = [Read("o-2024-05-10.csv", 1, 500), Read("o-2024-05-11.csv", 2, 300)]
    assert order(*parts) == ["o-2024-05-10.csv", "o-2024-05-11.csv"]


def test_the_date_in_the_name_where_it_is_told_to_decide() -> None:
    parts = [Read("b-2024-05-11.csv", 1, 1), Read("a-2024-05-10.csv", 2, 900)]
    assert order(*parts, recency="name") == ["a-2024-05-10.csv", "b-2024-05-11.csv"]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("orders-2024-05-11.csv", "2024-05-12"),
        ("orders_20240511.csv", "2024-05-12"),
        ("11.05.2024/orders.csv", "2024-05-12"),
        ("2024-02.csv", "2024-03-01"),
        ("exports/2023/orders-2024.02.03.csv", "2024-02-04"),
        ("orders 11-05-2024.csv", "2024-05-12"),
        ("orders 05-31-2024.csv", "2024-06-01"),
        ("orders_31052024.csv", "2024-06-01"),
        ("Umsatz 31.05.24.csv", "2024-06-01"),
        ("sales_12-2024.csv", "2025-01-01"),
        ("Umsatz_Dezember_2024.csv", "2025-01-01"),
        ("ventes-31-déc-2024.csv", "2025-01-01"),
        ("sales_Dec24.csv", "2025-01-01"),
        ("mars-bars.csv", None),
        ("orders-12345678901.csv", None),
        ("orders.csv", None),
        ("orders-9.csv", None),
    ],
)
def test_the_end_of_the_day_that_a_name_says(name: str, day: str | None) -> None:
    expected = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() if day else None
    assert dated_ts(name) == expected
