"""What holds for customers whatever was seen."""

from collections import Counter, defaultdict
from hashlib import sha256
from itertools import combinations

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings
from recsys.identity.links import EVIDENCE, OBSERVATIONS, count
from recsys.identity.resolution import Resolution, customer_id_of, decide, resolve
from recsys.query_engine import connect
from recsys.schema import IDENTIFIERS, LINKS
from tests.recsys.identity.observing import START, Seen, customers

#: Few values, so that everything is linked with everything; tight limits, so that they bite.
KINDS = ("account", "email", "loyalty_card", "payment_token", "device", "member")
TIGHT = IdentitySettings(
    limits={"account": 1, "email": 2, "loyalty_card": 2, "payment_token": 2, "device": 2},
    max_degree={"account": 4, "email": 3, "loyalty_card": 3, "payment_token": 3, "device": 1},
)

identifiers = st.tuples(st.sampled_from(KINDS), st.sampled_from("12345"))
groups = st.tuples(
    st.sampled_from(EVIDENCE),
    st.sets(identifiers, min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 5),
)


@st.composite
def observations(draw: st.DrawFn) -> pa.Table:
    """Orders, registrations and sessions; some values blocked by rule, some times unknown."""
    by_rule = draw(st.sets(identifiers, max_size=2))
    seen = Seen()
    for evidence, members, times, hour in draw(st.lists(groups, max_size=25)):
        text = " ".join(f"{kind}={value}" for kind, value in sorted(members))
        at = None if hour == 0 else START.replace(hour=hour)
        seen.add(evidence, text, times, at=at, source=f"s{hour % 2}")
    for row in seen.rows:
        row["blocked"] = "rule" if (row["type"], row["value"]) in by_rule else None
    return seen.table()


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


def same(one: Resolution, other: Resolution) -> bool:
    return bool(one.identifiers.equals(other.identifiers) and one.links.equals(other.links))


@settings(max_examples=8)
@given(table=observations(), random=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_twice_is_once(con: Backend, table: pa.Table, random) -> None:
    rows = table.to_pylist()
    mixed = rows + random.sample(rows, len(rows) // 2)
    random.shuffle(mixed)
    again = pa.Table.from_pylist(mixed, OBSERVATIONS)
    assert same(resolve(table, TIGHT, con), resolve(again, TIGHT, con))


@settings(max_examples=15)
@given(table=observations())
def test_the_engine_counts_as_one_would_by_hand(con: Backend, table: pa.Table) -> None:
    by_engine = count(con.create_table("seen", ibis.memtable(table)), con)
    con.raw_sql("DROP TABLE seen")
    for found, expected in zip(by_engine, count_by_hand(table), strict=True):
        assert found.to_pylist() == expected.to_pylist()


@given(table=observations(), data=st.data())
def test_every_promise_holds(table: pa.Table, data: st.DataObject) -> None:
    found = decide(*count_by_hand(table), TIGHT)
    ids = found.links["link_id"].to_pylist()
    undone = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
    without = decide(*tables(found), TIGHT, undone)
    for result, never in ((found, set()), (without, undone)):
        rows = {(row["type"], row["value"]): row for row in result.identifiers.to_pylist()}
        check_ids(rows)
        check_limits(rows)
        check_links(result, rows, never)
    assert same(decide(*tables(found), TIGHT), found)  # deciding again changes nothing
    assert same(decide(*tables(without), TIGHT), found)  # redone is as before


def check_ids(rows: dict) -> None:
    """Every id ever given out leads to a customer, whose id is a member's own."""
    own = {row["own_id"]: row for row in rows.values()}
    for (kind, value), row in rows.items():
        assert row["own_id"] == customer_id_of(kind, value)
        assert (row["customer_id"] is None) == (row["blocked"] is not None)
        if row["customer_id"] is not None:
            assert own[row["customer_id"]]["customer_id"] == row["customer_id"]


def check_limits(rows: dict) -> None:
    counts = Counter(
        (row["customer_id"], kind) for (kind, _), row in rows.items() if row["customer_id"]
    )
    assert all(n <= TIGHT.limits.get(kind, n) for (_, kind), n in counts.items())


def check_links(found: Resolution, rows: dict, never: set[str]) -> None:
    """What joins is accepted, what is accepted joins; nothing else makes a customer."""
    parent = {key: key for key in rows}

    def root(key):
        return key if parent[key] == key else root(parent[key])

    for link in found.links.to_pylist():
        a, b = (link["type_a"], link["value_a"]), (link["type_b"], link["value_b"])
        assert a < b
        assert link["accepted"] == (link["refused"] is None)
        if link["accepted"]:
            assert link["link_id"] not in never
            assert rows[a]["blocked"] is rows[b]["blocked"] is None
            assert rows[a]["customer_id"] == rows[b]["customer_id"]
            parent[root(a)] = root(b)
    for one in rows:
        for other in rows:
            if rows[one]["customer_id"] and rows[other]["customer_id"]:
                together = rows[one]["customer_id"] == rows[other]["customer_id"]
                assert together == (root(one) == root(other))


@given(table=observations())
def test_a_device_never_joins_people(table: pa.Table) -> None:
    rows = [row for row in table.to_pylist() if row["type"] != "device"]
    without = decide(*count_by_hand(pa.Table.from_pylist(rows, OBSERVATIONS)), TIGHT)

    def people(result: Resolution) -> set[frozenset[str]]:
        each = ({name for name in c if not name.startswith("device")} for c in customers(result))
        return {frozenset(names) for names in each if names}

    assert people(decide(*count_by_hand(table), TIGHT)) == people(without)


def tables(found: Resolution) -> tuple[pa.Table, pa.Table]:
    return found.identifiers, found.links


def count_by_hand(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """What the engine counts, in plain Python."""
    rows = table.to_pylist()
    seen_at = defaultdict(list)
    reason, orders = {}, defaultdict(set)
    names, links = defaultdict(set), defaultdict(list)
    groups = defaultdict(list)
    for row in rows:
        key = (row["type"], row["value"])
        groups[row["group_id"], row["evidence"]].append(row)
        seen_at[key].append(row["at"])
        reason[key] = reason.get(key) or row["blocked"]
        orders[key] |= {row["group_id"]} if row["evidence"] == "same_order" else set()
    for (_, evidence), members in groups.items():
        keys = sorted({(row["type"], row["value"]) for row in members})
        for ends in combinations(keys, 2):
            links[*ends, evidence].append(members[0]["at"])
            names[*ends, evidence].add(members[0]["source"])
    identifiers = [
        {
            "type": kind,
            "value": value,
            "own_id": customer_id_of(kind, value),
            "orders": len(orders[kind, value]),
            "blocked": reason[kind, value],
            **span(seen_at[kind, value]),
        }
        for kind, value in sorted(seen_at, key=strength)
    ]
    found = [
        {
            "link_id": "l" + sha256("\t".join((*a, *b, evidence)).encode()).hexdigest()[:16],
            "type_a": a[0],
            "value_a": a[1],
            "type_b": b[0],
            "value_b": b[1],
            "evidence": evidence,
            "source": ",".join(sorted(names[a, b, evidence])),
            "seen": len(times),
            **span(times),
        }
        for (a, b, evidence), times in sorted(
            links.items(), key=lambda item: (*sorted(map(strength, item[0][:2])), item[0][2])
        )
    ]
    return pa.Table.from_pylist(identifiers, IDENTIFIERS), pa.Table.from_pylist(found, LINKS)


def strength(key: tuple[str, str]) -> tuple[int, str, str]:
    return KINDS.index(key[0]), *key


def span(times: list) -> dict:
    known = [at for at in times if at is not None]
    return {"first_at": min(known, default=None), "last_at": max(known, default=None)}
