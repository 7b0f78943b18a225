"""Who was erased does not come back with the next ingest; their orders stay, of nobody."""

from pathlib import Path

import pytest

from recsys.identity import KeyedHash, customer_id_of
from recsys.ledger import Ledger, MarkFile
from tests.training.ingest.conftest import AT, HEADER, LINES, Workspace

NOW = int(AT.timestamp())
CARDS = LINES + 'loyalty_card = "card"\n'
REGISTERED = """
[sources.club]
kind = "customer_links"
path = "club.csv"
[sources.club.columns]
occurred_at = "since"
[sources.club.identifiers]
email = "email"
loyalty_card = "card"
"""
SALES = (
    HEADER.replace("email", "email,card")
    + "1,2026-01-05 10:00,tea,1,2,ada@x.org,\n"
    + "2,2026-01-06 10:00,milk,1,2,,C1\n"
    + "3,2026-01-07 10:00,tea,1,2,bo@x.org,\n"
    + "4,2026-01-08 10:00,jam,1,2,,C2\n"
    + "5,2026-01-09 10:00,jam,1,2,,\n"
)
CLUB = "since,email,card\n2026-01-01,ada@x.org,C1\n2026-01-01,bo@x.org,C2\n"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.write(omnibasket_toml=CARDS + REGISTERED, shop__1_csv=SALES, club_csv=CLUB)
    workspace.ingest()
    return workspace


def own_id(shop: Workspace, kind: str, value: str) -> str:
    return customer_id_of(kind, KeyedHash.load(shop.config).identifier(kind, value) or "")


def mark(shop: Workspace, kind: str, value: str, *, lift_ts: int | None = None) -> list[str]:
    """Erase whose an identifier is, or lift the mark again; return the ids."""
    ledger = Ledger.open(shop.config.ledger_url)
    file = MarkFile.of(shop.config)
    own_ids = ledger.erasures.ids_of(customer_id=own_id(shop, kind, value))
    if lift_ts is None:
        ledger.erasures.erase(own_ids, NOW, file)
    else:
        own_ids = [own_id(shop, kind, value)]
        assert ledger.erasures.lift(own_ids, lift_ts, file) == 1
    ledger.close()
    return own_ids


def whose(shop: Workspace) -> dict[str, str | None]:
    return {row["order_id"]: row["customer_id"] for row in shop.table()}


def test_orders_stay_and_name_nobody(shop: Workspace) -> None:
    before = whose(shop)
    assert before["shop:1"] == before["shop:2"] == own_id(shop, "email", "ada@x.org")
    kept = shop.items()
    ada = mark(shop, "loyalty_card", "C1")
    assert len(ada) == 2
    found = shop.ingest()
    assert found["changed"]
    assert found["erased"] == {"orders": 2, "registrations": 1}
    assert shop.items() == kept
    after = whose(shop)
    assert after == {**before, "shop:1": None, "shop:2": None}
    assert {row["own_id"] for row in shop.table("identifiers")}.isdisjoint(ada)
    assert {row["customer_id"] for row in shop.table("customers")} == {before["shop:3"]}
    ledger = Ledger.open(shop.config.ledger_url)
    assert all(ledger.resolve_id(each) is None for each in ada)
    assert ledger.resolve_id(before["shop:3"] or "") == before["shop:3"]
    ledger.close()
    assert not shop.ingest()["changed"]


def test_a_new_identifier_beside_an_erased_one_is_theirs_too(shop: Workspace) -> None:
    mark(shop, "email", "ada@x.org")
    mark(shop, "loyalty_card", "C2")
    later = "6,2026-02-01 10:00,tea,1,2,ada@x.org,C9\n7,2026-02-01 11:00,tea,1,2,cy@x.org,C2\n"
    shop.write(shop__2_csv=HEADER.replace("email", "email,card") + later)
    assert shop.ingest()["erased"]["orders"] == 6
    after = whose(shop)
    assert after["shop:6"] is None  # the e-mail says whose order it was, and is erased
    assert after["shop:7"] == own_id(shop, "email", "cy@x.org")  # a stronger one says whose it is
    types = {row["type"] for row in shop.table("identifiers")}
    assert types == {"email"}


def test_after_lifting_only_what_is_new_counts(shop: Workspace) -> None:
    mark(shop, "email", "ada@x.org")
    shop.ingest()
    mark(shop, "email", "ada@x.org", lift_ts=NOW + 5)
    new = HEADER.replace("email", "email,card") + "8,2026-03-05 10:00,tea,1,2,ada@x.org,\n"
    shop.write(shop__2_csv=new)
    shop.ingest()
    after = whose(shop)
    assert after["shop:8"] == own_id(shop, "email", "ada@x.org")
    assert after["shop:1"] is None
    assert after["shop:2"] is None


def test_who_is_erased_during_an_ingest_is_gone_after_it(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.ingest as module

    bo = own_id(shop, "email", "bo@x.org")
    begin, ids = module.write_rejects, []

    def erase_meanwhile(*given: object) -> object:
        ids.extend(mark(shop, "email", "bo@x.org"))
        return begin(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_rejects", erase_meanwhile)
    new = HEADER.replace("email", "email,card") + "9,2026-02-01 10:00,tea,1,2,dan@x.org,\n"
    shop.write(shop__2_csv=new)
    shop.ingest()
    assert bo in ids
    ledger = Ledger.open(shop.config.ledger_url)
    assert all(ledger.resolve_id(each) is None for each in ids)
    assert ledger.resolve_id(own_id(shop, "email", "ada@x.org"))
    ledger.close()
    monkeypatch.undo()
    assert shop.ingest()["changed"]  # the history is without them from then on
    assert whose(shop)["shop:3"] is None
