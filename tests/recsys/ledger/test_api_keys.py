"""Keys are shown once, found by their secret alone, and void from the moment they are revoked."""

import pytest
import sqlalchemy as sa

from recsys.errors import LedgerError
from recsys.ledger.api_keys import PREFIX, Grant, find_key
from recsys.ledger.ledger import Ledger

from .conftest import NOW

GRANT = Grant(scopes=("recommend", "events"), name="shop", channels=("web",), expires_ts=NOW + 9)


def held(ledger):
    return {key.key_id: key for key in ledger.keys.all()}


def test_a_key_is_found_by_its_secret_alone(ledger: Ledger) -> None:
    assert ledger.keys.changed() is None
    key_id, secret = ledger.keys.create(GRANT, NOW)
    other_id, other = ledger.keys.create(Grant(scopes=("admin",)), NOW)
    assert secret.startswith(PREFIX)
    keys = held(ledger)
    found = find_key(keys, secret)
    assert found is not None
    assert (found.key_id, found.grant, found.created_ts) == (key_id, GRANT, NOW)
    assert find_key(keys, other).key_id == other_id
    swapped = secret.replace(key_id, other_id)
    for wrong in ("", secret[:-1], secret + "a", swapped, key_id, secret.upper(), "ключ"):
        assert find_key(keys, wrong) is None
    assert find_key({}, secret) is None


def test_the_secret_is_not_stored(ledger: Ledger, ledger_url: str) -> None:
    _, secret = ledger.keys.create(GRANT, NOW)
    (key,) = ledger.keys.all()
    assert secret.encode() not in key.digest
    assert secret.removeprefix(f"omnibasket_{key.key_id}_") not in repr(key)


def test_a_key_is_void_when_revoked_or_expired(ledger: Ledger) -> None:
    key_id, _ = ledger.keys.create(GRANT, NOW)
    before = ledger.keys.changed()
    assert held(ledger)[key_id].state(NOW + 8) == "valid"
    assert held(ledger)[key_id].state(NOW + 9) == "expired"
    assert ledger.keys.revoke(key_id, NOW + 1)
    assert not ledger.keys.revoke(key_id, NOW + 2)
    assert held(ledger)[key_id].state(NOW) == "revoked"
    assert held(ledger)[key_id].revoked_ts == NOW + 1
    assert ledger.keys.changed() != before
    with pytest.raises(LedgerError, match="no key `nobody`"):
        ledger.keys.revoke("nobody", NOW)


def test_an_older_ledger_gets_the_table_and_keeps_what_it_held(ledger_url: str, make_event) -> None:
    older = Ledger.open(ledger_url)
    older.add_events([make_event("purchase", "tea")], NOW)
    older.close()
    url = sa.make_url(ledger_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE keys")
        connection.exec_driver_sql("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    engine.dispose()
    ledger = Ledger.open(ledger_url, create=False)
    ledger.keys.create(GRANT, NOW)
    assert ledger.meta()["schema_version"] != "1"
    assert len(list(ledger.live_events())) == 1
    ledger.close()
