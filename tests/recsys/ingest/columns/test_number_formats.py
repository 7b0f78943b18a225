"""Numbers of exports are read correctly or reported as ambiguous, never misread."""

from collections import Counter
from collections.abc import Collection
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.number_expressions import (
    evidence_counts,
    read_shapes,
    shapes,
    simple_evidence_counts,
)
from recsys.ingest.columns.number_formats import (
    Evidence,
    Format,
    detect_format,
    format_of,
    read_number,
    shape_of,
)
from recsys.query_engine import keep

AMBIGUOUS = Format(None, "ambiguous")


def read_all(texts: Collection[str], digits: int | None = None) -> list[str | None]:
    """Read a column in its detected format; numbers as texts, without trailing zeros."""
    form = detect_format(texts, digits)
    numbers = [read_number(text, form) for text in texts]
    return [None if n is None else f"{n.normalize():f}" for n in numbers]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("3.50|1,234.00", "3.5|1234"),
        ("3,50|1.234,00|1.234", "3.5|1234|1234"),
        ("3.50|1,234|1.234", "3.5|1234|1.234"),
        ("1,234,567|1,234", "1234567|1234"),
        ("1.234.567|1.234", "1234567|1234"),
        ("0,123|1,234", "0.123|1.234"),
        ("0.345|1.250", "0.345|1.25"),
        ("12345.678|1.234", "12345.678|1.234"),
        ("12,5|1.234", "12.5|1234"),
        ("1,23,456.00|12,345", "123456|12345"),
        ("1,23,456|12,345", "123456|12345"),
        ("1 234,50|1 234", "1234.5|1234"),
        ("1'234.50|1’234", "1234.5|1234"),
        ("1 234|2,500", "1234|2.5"),
        ("1\u202f234,5|1\u00a0234", "1234.5|1234"),
        ("$3.00|-$1.50|$-1.50|($1.50)|$(2.00)|1.50-|−1.50", "3|-1.5|-1.5|-1.5|-2|-1.5|-1.5"),
        ("12,50 €|€12,50|EUR 12,50|12,50 EUR|12,50 zł|₺12,50|kr 12,50", "|".join(["12.5"] * 7)),
        ("12.50 USD|US$ 12.50|¥1|￥１２．５０", "12.5|12.5|1|12.5"),
        ("12,-|12,50|3,--|4,- €", "12|12.5|3|4"),
        ("+3.50|.5", "3.5|0.5"),
        ("٣٫٥٠|١٬٢٣٤٫٥|۱۲٫۵|۱٬۲۳۴|1٫234", "3.5|1234.5|12.5|1234|1.234"),
        ("\u200e\u22121.5|\u061c-2.5", "-1.5|-2.5"),
        ("5|NaN|null|7", "5|None|None|7"),
    ],
)
def test_a_column_is_read_right(texts: str, expected: str) -> None:
    assert read_all(texts.split("|")) == [None if e == "None" else e for e in expected.split("|")]


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "12,34,56",
        "1,2345",
        "0,123,456",
        "1,234.567,8",
        "1.234,567.8",
        "1 23",
        "1'23",
        "1 234'567",
        "1e3",
        "5.01235E+12",
        "12%",
        "12 kg",
        "--5",
        "(5",
        "5)",
        "-(5)",
        "12 kgx",
        "€5€",
        "1 234.567 890",
        "١٢٫٥.٢",
        "0x10",
        "1_000",
        "5 7",
        "tea",
        "12.",
        "1..5",
        "९",
        "-",
        "€",
    ],
)
def test_what_cannot_be_a_number_is_none_even_where_the_dot_is_stated(text: str) -> None:
    assert read_number(text, Format(".")) is None


@pytest.mark.parametrize("texts", [["2.980", "1.250"], ["2,980"], ["1.250", "3"], ["5.000", "12"]])
def test_nothing_is_guessed(texts: list[str]) -> None:
    assert detect_format(texts, None) == AMBIGUOUS
    assert [read_number(text, AMBIGUOUS) for text in texts if "." in text or "," in text] == [
        None
    ] * sum("." in text or "," in text for text in texts)


def test_money_without_decimals_is_grouped() -> None:
    assert read_all(["2,980", "1,250", "24,800", "480"], 0) == ["2980", "1250", "24800", "480"]
    assert read_all(["2.980"], 0) == ["2980"]
    assert detect_format(["2.980", "1,250"], 0) == AMBIGUOUS
    assert read_all(["2980.0", "1.234", "1,234"], 0) == ["2980", None, None]


def test_whole_prices_beside_speak_for_a_grouping_where_cents_would_be_written() -> None:
    assert detect_format(["480", "2,980"], 2) == Format(".")
    assert detect_format(["480", "2,980", "1500"], 2) == AMBIGUOUS  # a thousand without a grouping
    assert detect_format(["0", "2,980"], 2) == AMBIGUOUS  # placeholders for nothing, in any format
    assert detect_format(["2,980"], 2) == AMBIGUOUS
    assert detect_format(["480", "2,980"], None) == AMBIGUOUS
    assert detect_format(["5", "3.500"], 3) == AMBIGUOUS  # dinars have three decimals


def test_a_column_that_contradicts_itself_follows_the_most_and_guesses_at_none() -> None:
    column = ["3.50", "4.20", "5,10", "1.234", "1,234", "7"]
    assert detect_format(column, 2) == Format(".", "mixed")
    assert read_all(column, 2) == ["3.5", "4.2", None, None, None, "7"]
    assert read_all(["3.50", "5,10", "7"], 2) == [None, None, "7"]


def test_what_does_not_fit_is_none_and_never_an_error() -> None:
    assert read_number("9" * 13, Format(".")) is None
    assert read_number("9" * 400 + ".5", Format(".")) is None
    assert read_number("999999999999.9999999", Format(".")) is None
    assert read_number("1.23456789", Format(".")) == Decimal("1.234568")


def test_a_currency_belongs_to_money_only() -> None:
    assert read_number("12.50 USD", Format("."), money=False) is None
    assert shape_of("12,50 €").currency == "€"
    assert shape_of("chf 12").currency == "chf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 pcs", "2"),
        ("3x", "3"),
        ("x 3", "3"),
        ("0,350 kg", "0.350"),
        ("2 Stk.", "2"),
        ("1個", "1"),
        ("-1 szt.", "-1"),
        ("500 g", None),
        ("2 x 6", None),
        ("2 boxes", None),
    ],
)
def test_a_unit_may_stand_beside_a_quantity_only(text: str, expected: str | None) -> None:
    number = read_number(text, Format(","), money=False)
    assert number == (None if expected is None else Decimal(expected))
    assert read_number(text, Format(",")) is None


LOCALES = ["en_US", "de_DE", "fr_FR", "de_CH", "en_IN", "ar_EG", "fa_IR", "ja_JP", "pl_PL", "tr_TR"]
NUMBERS = st.decimals(-(10**9), 10**9, allow_nan=False, places=3) | st.integers(-(10**7), 10**7)


@pytest.mark.parametrize("system", ["latn", "default"])
@pytest.mark.parametrize("locale", LOCALES)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=8), digits=st.sampled_from([None, 0, 2, 3]))
@settings(max_examples=25, deadline=None)
def test_what_babel_writes_is_read_back_or_refused(
    system: str, locale: str, numbers: list[Decimal], digits: int | None
) -> None:
    places = {None: 3, 0: 0, 2: 2, 3: 3}[digits]  # a currency with these digits
    numbers = [round(Decimal(number), places) for number in numbers]
    texts = [format_decimal(n, locale=locale, numbering_system=system) for n in numbers]
    form = detect_format(texts, digits)
    assert form.problem != "mixed"
    certain = form.problem is None
    for number, text in zip(numbers, texts, strict=True):
        assert read_number(text, form) in ((number,) if certain else (number, None)), (text, form)


DIGITS = st.text("0123456789", min_size=0, max_size=4)
PIECES = st.sampled_from(
    [
        ".",
        ",",
        " ",
        "'",
        "’",
        "\u202f",
        "-",
        "(",
        ")",
        "€",
        "usd",
        "kr.",
        "٫",
        "pcs",
        "kg",
        "個",
        "٬",
        "٣",
        "e",
        "%",
        "−",
        "\u200b",
        "abc",
        "NaN",
        "+",
    ]
)
TEXTS = (
    st.lists(DIGITS | PIECES, min_size=1, max_size=7)
    .map("".join)
    .filter(lambda text: bool(text.strip()) and "\x00" not in text)
)


@pytest.fixture(scope="module")
def engine() -> Backend:
    return ibis.duckdb.connect()


@given(texts=st.lists(TEXTS, min_size=1, max_size=120), digits=st.sampled_from([None, 0, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_the_engine_reads_as_python_does(
    engine: Backend, texts: list[str], digits: int | None
) -> None:
    counts = Counter(text.strip() for text in texts)
    table = ibis.memtable(pa.table({"text": [*counts], "n": [*counts.values()]}))
    taken = keep(engine, "shapes", shapes(table))
    (evidence,) = engine.to_pyarrow(taken.aggregate(**evidence_counts(taken))).to_pylist()
    form = format_of(Evidence(**evidence), digits)
    assert form == detect_format([*counts.elements()], digits)
    for money in (True, False):
        found = engine.to_pyarrow(read_shapes(taken, form, money=money)).to_pylist()
        for row in found:
            text = row["text"]
            assert row["value"] == read_number(text, form, money=money), (text, form)
            empty = shape_of(text).kind == "none"
            assert (row["reason"] is None) == (row["value"] is not None or empty), text
            assert (row["currency"] or "") == shape_of(text).currency or row["value"] is None


SIMPLE = st.from_regex(r"-?[0-9]{1,12}([.][0-9]{1,8})?", fullmatch=True)


@given(texts=st.lists(SIMPLE, min_size=1, max_size=60), digits=st.sampled_from([None, 0, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_plain_columns_are_told_in_a_cheaper_way(
    engine: Backend, texts: list[str], digits: int | None
) -> None:
    table = ibis.memtable(pa.table({"text": texts, "n": [1] * len(texts)}))
    (evidence,) = engine.to_pyarrow(table.aggregate(**simple_evidence_counts(table))).to_pylist()
    assert evidence.pop("odd") == 0
    assert format_of(Evidence(**evidence), digits) == detect_format(texts, digits)
