"""Invisible characters do not make equal ids differ."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.files.cleaning import (
    BLANKS,
    HARD_BLANKS,
    MARKS,
    clean,
    clean_sql,
    is_plain,
    unclean_sql,
)

_SIGNS = st.sampled_from([*BLANKS, *MARKS, *"'+01a-é'=\"", "\u200c", "\u200d", "\U0001f600"])
PLAIN = st.text(_SIGNS | st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = PLAIN | PLAIN.map('="{}"'.format)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("  A 1 \t", "A 1"),
        ("\xa0A1\u202f", "A1"),
        ("1\xa0234,50", "1 234,50"),
        ("\u200fA1\u200e", "A1"),
        ("\u202aA1\u202c", "A1"),
        ("A\u200b1\ufeff", "A1"),
        ("'00123", "00123"),
        ("'+49 30", "+49 30"),
        ("'t Hooft", "'t Hooft"),
        ('="00123"', "00123"),
        (' ="00123 "', "00123"),
        ('=""', ""),
        ('="A"&"B"', '="A"&"B"'),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("two\r\nlines\rand three", "two\nlines\nand three"),
        (" \u200b ", ""),
    ],
)
def test_values_as_a_person_reads_them(text: str, bare: str) -> None:
    assert clean(text) == bare


@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_the_engine_cleans_as_python_does(texts: list[str]) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE texts AS SELECT unnest(?) AS value", [texts])
        rows = con.execute(
            f"SELECT value, {clean_sql('value')}, {unclean_sql('value')} FROM texts"
        ).fetchall()
    assert [value for value, *_ in rows] == texts
    for value, cleaned, unclean in rows:
        assert (cleaned or "") == clean(value), ascii(value)
        assert unclean or cleaned == value, ascii(value)


@given(TEXTS)
def test_twice_is_once(text: str) -> None:
    once = clean(text)
    assert clean(once) in (once, once[1:])  # of two apostrophes, each pass removes one


@given(st.lists(TEXTS, max_size=5))
def test_a_file_that_looks_plain_has_nothing_to_clean_but_blanks(values: list[str]) -> None:
    block = ("\n" + "\n".join(values)).encode()
    if is_plain(block) and not any(sign in "".join(values) for sign in "\t\r\n\0"):
        assert all(clean(value) == value.strip(" ") for value in values)
    assert HARD_BLANKS[0] not in "".join(values) or not is_plain(block)
