"""Values that name nobody, as they come from tills and shops."""

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings
from recsys.identity.blocking import is_blocked
from recsys.identity.hashing import KeyedHash, normalise, normalise_expression
from recsys.identity.stored_identifiers import store_identifiers
from recsys.query_engine import connect

KEYED = KeyedHash("k" * 32, country="DE")

OWN = IdentitySettings(
    blocked={
        "loyalty_card": ["2900 0000*", "98?76"],
        "email": ["STORE[12]@Shop.test"],
        "phone": ["+49 (30) 555*"],
        "member": ["a+b"],
    }
)


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "test@shop.test"),
        ("email", " NoReply@brand.com "),
        ("email", "n/a"),
        ("email", "none@none.com"),
        ("email", "@"),
        ("loyalty_card", "0000 0000 0000"),
        ("loyalty_card", "9999999999"),
        ("loyalty_card", "77777777"),
        ("loyalty_card", "1234567890"),
        ("loyalty_card", "NONE"),
        ("loyalty_card", ""),
        ("loyalty_card", "---"),
        ("payment_token", "CASH"),
        ("payment_token", "**** **** **** 1234"),
        ("payment_token", "xxxx-1234"),
        ("phone", "000 000 000"),
        ("phone", "+1 111 111 1111"),
        ("phone", "112"),
        ("account", "guest"),
        ("device", "00000000-0000-0000-0000-000000000000"),
        ("device", "(not set)"),
        ("loyalty_card", "290000001"),
        ("loyalty_card", "98x76"),
        ("email", "store[12]@shop.test"),
        ("phone", "+4930 555 123"),
        ("member", "A+B"),
        ("account", "0"),
        ("account", "-1"),
        ("account", "0.0"),
        ("account", " Gast "),
        ("account", "NOT LOGGED IN"),
        ("account", "5.01235E+12"),
        ("loyalty_card", "2.10001E+11"),
        ("loyalty_card", "2,10001E+11"),
        ("payment_token", "#REF!"),
        ("phone", "4.47701E+11"),
        ("phone", "n/a"),
        ("phone", "#N/A"),
        ("email", "[object Object]"),
        ("email", "\u200bnull\u00a0"),
        ("device", "undefined"),
        ("member", "null/null"),
        ("member", "- / -"),
        ("member", "0/0"),
    ],
)
def test_names_nobody(kind: str, value: str) -> None:
    assert is_blocked(kind, value, OWN)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "ada@shop.test"),
        ("email", "contest@shop.test"),
        ("email", "3fa9c1d2e4b5a697"),
        ("email", "store1@shop.test"),
        ("loyalty_card", "2913374200"),
        ("loyalty_card", "1111"),
        ("loyalty_card", "987776"),
        ("payment_token", "tok_51b9"),
        ("payment_token", "1000"),
        ("phone", "+49 171 2345678"),
        ("account", "1"),
        ("account", "10"),
        ("account", "2E10"),
        ("account", "777777"),
        ("device", "1000000001.1483228800"),
        ("member", "aab"),
        ("member", "290000001"),
    ],
)
def test_names_somebody(kind: str, value: str) -> None:
    assert not is_blocked(kind, value, OWN)


TEXTS = st.text("0123456789xX*@+-.aNtesoi/[] ?ée", max_size=12) | st.sampled_from(
    [
        "test@x",
        "NONE",
        "n/a",
        "0000",
        "****12",
        "999999",
        "98?76",
        "290000001",
        "•••• 12",
        "0171 2345678",
        "+49 171 2345678",
        "0049171/2345678",
        "4.4E+11",
        "\u00a0null",
        "+49 30 5551",
    ]
)


@settings(max_examples=30)
@given(
    values=st.lists(TEXTS, min_size=1, max_size=20),
    kind=st.sampled_from(["email", "loyalty_card", "payment_token", "phone", "account", "member"]),
)
def test_a_column_is_judged_as_each_value_is(con: Backend, values: list[str], kind: str) -> None:
    table = ibis.memtable(pa.table({"place": range(len(values)), "raw": pa.array(values)}))
    normal = table.mutate(value=normalise_expression(kind, table.raw))
    found = store_identifiers(
        con, normal.select("value").distinct(), kind, keyed=KEYED, settings=OWN, country="DE"
    )
    judged = normal.left_join(found, "value").select("place", "hashed", "blocked")
    rows = con.to_pyarrow(judged.order_by("place")).to_pylist()
    for value, row in zip(values, rows, strict=True):
        assert row["hashed"] == KEYED.identifier(kind, value)
        if row["hashed"] is not None:  # else nothing is left of it
            assert row["blocked"] == ("rule" if is_blocked(kind, value, OWN, "DE") else None)


def test_patterns_of_phones_fit_however_both_are_typed() -> None:
    own = IdentitySettings(blocked={"phone": ["030 555*", "0044 20 7946 0000"]})
    for value in ("030 555 1234", "+49 30 5551234", "0049 (0)30 555-1234"):
        assert is_blocked("phone", value, own, "DE")
    assert is_blocked("phone", "+44 (0)20 7946 0000", own, "DE")
    assert not is_blocked("phone", "030 554 1234", own, "DE")


def test_what_is_compared_is_normalised() -> None:
    assert normalise("loyalty_card", "29 00") == "2900"
    assert is_blocked("loyalty_card", "2900 0000 5", OWN)
