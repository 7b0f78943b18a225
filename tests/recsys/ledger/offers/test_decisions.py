"""Marketers' changes are kept in order, with who made them, and overwrite nobody's."""

import pytest
import sqlalchemy as sa

from recsys.bundles.terms import NEXT_STATUSES, STATUSES, Terms
from recsys.errors import LedgerError, StaleError, TransitionError
from recsys.ledger.ledger import Ledger
from recsys.ledger.schema import METADATA, SCHEMA_VERSION
from tests.recsys.ledger.conftest import NOW, MakeEvent

from .deals import HOUR, TERMS, check_books, counted, decide, promise


def test_every_change_is_kept_with_who_made_it(ledger: Ledger) -> None:
    assert ledger.decisions.get("b1") is None
    assert (ledger.decisions.all(), ledger.decisions.changes("b1")) == ([], [])
    assert ledger.decisions.mark() == 0
    first = decide(ledger)
    assert (first.revision, first.item_ids, first.kind) == (1, ("tea", "milk"), "together")
    dearer = decide(ledger, at=NOW + 5, price_minor=450, note="more")
    assert ledger.decisions.get("b1") == dearer
    other = decide(ledger, "b0", channels=("web", "pos"), budget_minor=7)
    assert ledger.decisions.all() == [other, dearer]
    assert ledger.decisions.mark() == 3
    told = [
        (change.revision, change.changed_ts, change.changed_by, change.before, change.after)
        for change in ledger.decisions.changes("b1")
    ]
    assert told == [
        (1, NOW, "ada", Terms(), TERMS),
        (2, NOW + 5, "ada", TERMS, dearer.terms),
    ]


def test_the_same_again_is_no_change(ledger: Ledger) -> None:
    first = decide(ledger)
    assert decide(ledger, at=NOW + 60) == first
    assert ledger.decisions.mark() == 1
    assert len(ledger.decisions.changes("b1")) == 1


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_who_has_not_seen_the_latest_changes_nothing(ledger: Ledger, expected: int) -> None:
    decide(ledger)
    latest = decide(ledger, note="seen")
    with pytest.raises(StaleError, match="revision 2"):
        ledger.decisions.change(
            "b1",
            "together",
            ["tea", "milk"],
            TERMS,
            expected_revision=expected,
            by="bob",
            now_ts=NOW,
        )
    assert ledger.decisions.get("b1") == latest
    assert ledger.decisions.mark() == 2


def test_a_refused_first_change_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(StaleError):
        ledger.decisions.change(
            "b1", "together", ["tea", "milk"], TERMS, expected_revision=4, by="bob", now_ts=NOW
        )
    assert ledger.decisions.all() == []


def test_only_what_may_follow_follows(ledger: Ledger) -> None:
    paths: dict[str, list[str]] = {"suggested": ["suggested"]}
    while len(paths) < len(STATUSES):  # how each status is reached
        for status, path in list(paths.items()):
            for after in NEXT_STATUSES[status]:
                paths.setdefault(after, [*path, after])
    for was, path in paths.items():
        for wanted in STATUSES:
            name = f"{was}-{wanted}"
            for n, status in enumerate(path):
                decide(ledger, name, status=status, note=str(n))
            if wanted in (was, *NEXT_STATUSES[was]):
                assert decide(ledger, name, status=wanted).terms.status == wanted
            else:
                with pytest.raises(TransitionError, match=rf"is {was}: it may become .*{wanted}"):
                    decide(ledger, name, status=wanted)
    check_books(ledger)


def test_no_price_no_approval(ledger: Ledger) -> None:
    with pytest.raises(TransitionError, match="price"):
        decide(ledger, price_minor=None)
    with pytest.raises(TransitionError, match="price"):
        decide(ledger, currency=None)


def test_withdrawing_voids_what_stands(ledger: Ledger) -> None:
    decide(ledger)
    old = promise(ledger, "c0", at=NOW - HOUR)
    offer = promise(ledger)
    decide(ledger, status="withdrawn")
    assert [
        found and found.state for found in map(ledger.offers.find, (old.offer_id, offer.offer_id))
    ] == ["expired", "withdrawn"]
    assert ledger.offers.standing(["c1"], NOW) == []
    assert counted(ledger).issued == 2
    assert (counted(ledger).standing, counted(ledger).reserved_minor) == (0, 0)
    check_books(ledger)


def test_what_ends_sooner_stands_no_longer_and_what_ends_later_as_long_as_promised(
    ledger: Ledger,
) -> None:
    decide(ledger)
    offer = promise(ledger)
    decide(ledger, ends_ts=NOW + 60)
    assert [held.expires_ts for held in ledger.offers.standing(["c1"], NOW)] == [NOW + 60]
    assert ledger.offers.standing(["c1"], NOW + 60) == []
    decide(ledger, ends_ts=NOW + 9 * HOUR)
    assert ledger.offers.standing(["c1"], NOW) == [offer]
    decide(ledger, ends_ts=NOW + 30, at=NOW + 30)
    found = ledger.offers.find(offer.offer_id)
    assert found is not None
    assert found.state == "expired"
    check_books(ledger)


def test_an_older_ledger_gets_its_tables(ledger_url: str, make_event: MakeEvent) -> None:
    ledger = Ledger.open(ledger_url)
    ledger.add_events([make_event("purchase", "tea", identifier="ada")], NOW)
    with ledger._database.writing() as connection:
        for name in ("redemptions", "offers", "decision_changes", "decisions"):
            METADATA.tables[name].drop(connection)
        connection.exec_driver_sql("DROP INDEX ix_identifiers_customer_id")
        connection.exec_driver_sql("UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    ledger.close()
    newer = Ledger.open(ledger_url, create=False)
    assert newer.meta()["schema_version"] == str(SCHEMA_VERSION)
    decide(newer)
    assert newer.offers.standing(["c1"], NOW) == []
    assert len(list(newer.live_events())) == 1
    with newer._database.reading() as connection:
        indexes = sa.inspect(connection).get_indexes("identifiers")
    assert "ix_identifiers_customer_id" in {index["name"] for index in indexes}
    newer.close()


def test_a_ledger_that_cannot_be_written_says_so(ledger: Ledger) -> None:
    with ledger._database.writing() as connection:
        METADATA.tables["decision_changes"].drop(connection)
    with pytest.raises(LedgerError, match="cannot be written"):
        decide(ledger)
    assert ledger.decisions.all() == []
