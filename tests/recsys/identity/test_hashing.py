"""Identifiers: one person's, however they were typed; nobody else's."""

from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings, load_config
from recsys.identity.hashing import KeyedHash, normalise_expression
from recsys.identity.stored_identifiers import store_identifiers
from recsys.query_engine import connect

KEYED = KeyedHash("0123456789abcdef" * 4, country="GB")


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (
            "email",
            [
                "ada@shop.test",
                " Ada@Shop.TEST ",
                "ada@shop.test\u00a0",
                "\u200bada@shop.test",
                "\u202aada@shop.test\u202c",
            ],
        ),
        ("loyalty_card", ["2100001", "21 000 01", "2100001\u202f"]),
        (
            "phone",
            [
                "+44 7700 900001",
                "07700 900001",
                "0044 7700 900001",
                "+44 (0)7700 900001",
                "'+447700900001",
                "07700 900001 ext 12",
            ],
        ),
    ],
)
def test_one_identifier_however_typed(kind: str, typed: list[str]) -> None:
    assert len({KEYED.identifier(kind, value) for value in typed}) == 1


def test_two_people_are_two() -> None:
    phones = ["07700 900001", "07700 900002", "4.47701E+11", "+1 7700 900001", "call me"]
    hashed = [KEYED.identifier("phone", phone) for phone in phones]
    assert len(set(hashed)) == len(phones)
    assert hashed[-1] is None


def test_without_a_country_only_what_says_its_own_is_one() -> None:
    nowhere = KeyedHash(KEYED.key)
    assert nowhere.identifier("phone", "07700 900001") != KEYED.identifier("phone", "07700 900001")
    assert nowhere.identifier("phone", "+44 (0)7700 900001") == KEYED.identifier(
        "phone", "07700 900001"
    )


@pytest.mark.parametrize(
    ("settings", "typed"),
    [
        ('time_zone = "Europe/London"', "+447700900001"),
        ('time_zone = "Europe/London"\ncountry = "DE"', "+497700900001"),
    ],
)
def test_the_workspace_says_the_country(tmp_path: Path, settings: str, typed: str) -> None:
    (tmp_path / "omnibasket.toml").write_text(f"[workspace]\n{settings}\n", encoding="utf-8")
    keyed = KeyedHash.load(load_config(tmp_path), create=True)
    assert keyed.identifier("phone", "07700 900001") == keyed.identifier("phone", typed)


VALUES = st.text("0123456789 +-()./x'\u00a0eE@aAéİ\u200b", max_size=16) | st.sampled_from(
    ["07700 900001", "+44 7700 900001", "0044(0)7700900001", "4.47701E+11", "n/a", "1111111", "٠٧٧"]
)


@settings(max_examples=30)
@given(
    values=st.lists(VALUES, min_size=1, max_size=20),
    kind=st.sampled_from(["email", "phone", "loyalty_card", "account"]),
    country=st.sampled_from(["GB", "US", "IT", None]),
)
def test_a_column_gets_the_hashes_of_its_values(
    con: Backend, values: list[str], kind: str, country: str | None
) -> None:
    keyed = KeyedHash(KEYED.key, country=country)
    table = ibis.memtable(pa.table({"place": range(len(values)), "raw": pa.array(values)}))
    table = table.mutate(value=normalise_expression(kind, table.raw))
    distinct = table.select("value").distinct()
    found = store_identifiers(
        con, distinct, kind, keyed=keyed, settings=IdentitySettings(), country=country
    )
    rows = con.to_pyarrow(table.left_join(found, "value").order_by("place")).to_pylist()
    assert [row["hashed"] for row in rows] == [keyed.identifier(kind, value) for value in values]


def test_null_is_nobody(con: Backend) -> None:
    table = ibis.memtable(pa.table({"value": pa.array([None, "07700 900001"], pa.string())}))
    found = store_identifiers(
        con, table, "phone", keyed=KEYED, settings=IdentitySettings(), country="GB"
    )
    assert con.to_pyarrow(found)["hashed"].to_pylist() == [KEYED.identifier("phone", "07700900001")]
