"""Who is one customer does not depend on the key under which identifiers are hashed."""

import hashlib

import ibis
import pytest

from recsys.config.toml_file import IdentitySettings
from recsys.identity.resolution import customers_of_groups, resolve
from recsys.query_engine import connect
from tests.recsys.identity.observing import Seen, customers, link_id

DEFAULTS = IdentitySettings()


def under(key: str, seen: Seen) -> Seen:
    """The same, where identifiers are hashed under a key; what each was before is kept."""
    hashed = Seen()
    for row in seen.rows:
        digest = hashlib.sha256(f"{key}{row['type']}{row['value']}".encode()).hexdigest()[:8]
        hashed.rows.append({**row, "value": f"{digest}:{row['value']}"})
    return hashed


@pytest.mark.parametrize("key", [f"key{number}" for number in range(6)])
def test_the_workspaces_key_decides_nothing(key: str) -> None:
    """Ties are broken by what was seen, not by what hashes make of it."""
    con = connect(memory_mb=256, threads=1)
    seen = Seen()
    # One order names two addresses, of two customers, who came a day apart.
    seen.order("email=E1 token=T1", times=2).order("email=E2 token=T2", times=2)
    seen.order("email=E1 email=E2")
    # All that is known of a card was first seen at once; it may have two addresses, not three.
    seen.order("card=C9 email=E7").order("email=E8").order("email=E9")
    seen.order("card=C9 email=E7 email=E8 email=E9")
    hashed = under(key, seen)
    two = tuple(f"email={named(key, 'email', value)}" for value in ("E1", "E2"))
    settings = IdentitySettings(
        limits={**DEFAULTS.limits, "email": 2},
        undone=[link_id(resolve(hashed.table(), DEFAULTS, con), *two)],
    )
    found = resolve(hashed.table(), settings, con)
    parts = {frozenset(one.rpartition(":")[2] for one in customer) for customer in customers(found)}
    assert {"E1", "T1"} in parts
    assert {"E2", "T2"} in parts
    assert {"C9", "E7", "E8"} in parts
    assert {"E9"} in parts
    groups = customers_of_groups(ibis.memtable(hashed.table()), ibis.memtable(found.identifiers))
    whose = {row["group_id"]: row["customer_id"] for row in con.to_pyarrow(groups).to_pylist()}
    con.disconnect()
    first = whose["g1"]
    assert whose["g5"] == first  # the customer who was there first


def named(key: str, kind: str, value: str) -> str:
    digest = hashlib.sha256(f"{key}{kind}{value}".encode()).hexdigest()[:8]
    return f"{digest}:{value}"
