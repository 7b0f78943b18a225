"""Erased customers are in no table, whatever comes after: events, ingests, an older backup."""

import itertools
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from recsys.config import CapSettings
from recsys.datasets import EMPTY, pack_history
from recsys.decisions import Consent, Reservation
from recsys.identity import customer_id_of
from recsys.ledger import Exposure, MarkFile
from recsys.ledger.customers import CapRules, Showing, session_own_id
from recsys.ledger.events import Event, Identifier
from recsys.ledger.events.visit_state import VisitState
from recsys.ledger.ledger import Ledger
from recsys.ledger.schema import METADATA
from tests.recsys.ledger.conftest import NOW, MakeEvent
from tests.recsys.ledger.offers.deals import check_books, counted, decide, promise, redeem

PEOPLE = ("ada-hash", "bob-hash", "cy-hash")
CARDS = {name: f"card-{n}" for n, name in enumerate(PEOPLE)}
RULES = CapRules({"cap": CapSettings(times=3, days=7)}, "UTC")


def who(name: str) -> Identifier:
    return Identifier(type="email", value=name)


def own_ids(name: str) -> set[str]:
    return {customer_id_of("email", name), customer_id_of("loyalty_card", CARDS[name])}


def dump(ledger: Ledger) -> dict[str, list[str]]:
    """Return every row of every table as text, but for the marks."""
    rows: dict[str, list[str]] = {}
    with ledger._database.reading() as connection:
        for table in METADATA.sorted_tables:
            if table.name != "erasures":
                found = connection.execute(table.select()).all()
                rows[table.name] = sorted("|".join(map(_text, row)) for row in found)
    return rows


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def assert_gone(ledger: Ledger, name: str) -> None:
    for table, rows in dump(ledger).items():
        for needle in (name, *own_ids(name)):
            assert not [row for row in rows if needle in row], (table, needle)


def bring_in(ledger: Ledger, *names: str) -> None:
    """Bring in an ingest that links the card and the e-mail of some customers."""
    customers = {name: customer_id_of("email", name) for name in names}
    rows = sorted((customer_id, pack_history(EMPTY)) for customer_id in customers.values())
    keys = [("email", name, name) for name in names]
    keys += [("loyalty_card", CARDS[name], name) for name in names]
    identifiers = sorted(
        (kind, value, customer_id_of(kind, value), customers[name]) for kind, value, name in keys
    )
    ledger.replace_histories("v1", rows, identifiers, contained=ledger.mark())


def live(ledger: Ledger, make_event: MakeEvent, name: str) -> list[Event]:
    """Fill every table that a customer can be in."""
    visit = f"visit-of-{name}"
    events = [
        make_event("view_item", "tea", session_id=visit),
        make_event("login", session_id=visit, identifier=who(name)),
        make_event("purchase", "tea", session_id=visit, identifier=who(name)),
        make_event("dismiss", "milk", identifier=who(name)),
        make_event("purchase", "jam", customer_id=customer_id_of("email", name)),
    ]
    ledger.add_events(events, NOW)
    own_id = customer_id_of("email", name)
    reserved = Reservation(f"mail {name}", "news", "email", NOW, NOW, NOW + 99, message=True)
    mail = Showing(
        customer_id=own_id,
        recommendation_id=reserved.recommendation_id,
        channel="email",
        at_ts=NOW,
        item_ids=("tea",),
        reservation=reserved,
        slot="m1",
        written=lambda _items, _bundles: name.encode(),
    )
    ledger.contacts.show([mail], RULES)
    ledger.handovers.issue(own_id, VisitState(), NOW, 300)
    ledger.contacts.consent([own_id], [Consent("marketing", "", True, NOW)])
    shown = Exposure(
        recommendation_id=f"r-{events[0].event_id}",
        shown_ts=NOW,
        placement="web_home",
        model_version="m",
        items=["tea"],
        customer_id=own_id,
        session_id=visit,
    )
    ledger.exposures.record([shown])
    return events


def erase(ledger: Ledger, name: str, file: MarkFile) -> Any:
    return ledger.erasures.erase(ledger.erasures.ids_of(identifier=who(name)), NOW, file)


@pytest.fixture
def marks(tmp_path: Path) -> MarkFile:
    return MarkFile(tmp_path / "state" / "erasures.jsonl")


def test_everything_about_a_person_goes_and_nothing_else(
    ledger: Ledger, make_event: MakeEvent, marks: MarkFile
) -> None:
    bring_in(ledger, *PEOPLE)
    live(ledger, make_event, "bob-hash")
    decide(ledger)
    ada = ("ada-hash", *own_ids("ada-hash"))
    before = {
        table: [row for row in rows if not any(needle in row for needle in ada)]
        for table, rows in dump(ledger).items()
    }
    live(ledger, make_event, "ada-hash")
    found = ledger.erasures.preview(ledger.erasures.ids_of(identifier=who("ada-hash")))
    gone = erase(ledger, "ada-hash", marks)
    assert gone == found
    assert (gone.identifiers, gone.contacts, gone.visits) == (2, 1, 1)
    assert (gone.exposures, gone.events) == (1, 5)
    assert_gone(ledger, "ada-hash")
    after = dump(ledger)
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), table
    assert len(after["events"]) == 10  # they stay, of nobody
    assert "visit-of-ada-hash" not in str(after)
    assert session_own_id("visit-of-ada-hash") not in str(after)
    for table in ("identifiers", "histories", "contacts", "sessions", "exposures"):
        assert after[table] == before[table]
    assert erase(ledger, "ada-hash", marks) == type(gone)()


def test_offers_keep_their_money_and_lose_their_owner(ledger: Ledger, marks: MarkFile) -> None:
    bring_in(ledger, "ada-hash", "bob-hash")
    decide(ledger, per_customer=2)
    ada, bob = (customer_id_of("email", name) for name in ("ada-hash", "bob-hash"))
    used = promise(ledger, ada)
    redeem(ledger, used.offer_id, owners=[ada])
    kept = promise(ledger, ada, at=NOW + 1)
    other = promise(ledger, bob)
    before = counted(ledger)
    assert erase(ledger, "ada-hash", marks).offers == 2
    assert counted(ledger) == before
    check_books(ledger)
    assert not ledger.offers.standing([ada], NOW + 1)
    assert ledger.offers.standing([bob], NOW + 1) == [other]
    assert ledger.offers.find(kept.offer_id).state == "standing"  # type: ignore[union-attr]
    assert_gone(ledger, "ada-hash")


def test_events_of_an_erased_person_are_stored_without_them(
    ledger: Ledger, make_event: MakeEvent, marks: MarkFile
) -> None:
    bring_in(ledger, *PEOPLE)
    before = live(ledger, make_event, "ada-hash")
    ids = ledger.erasures.ids_of(identifier=who("ada-hash"))
    erase(ledger, "ada-hash", marks)
    late = [
        make_event("purchase", "tea", identifier=who("ada-hash"), session_id="s2"),
        make_event("login", customer_id=ids[0], session_id="s2"),
        make_event("purchase", "tea", identifier=who("bob-hash")),
    ]
    outcomes = ledger.add_events(late, NOW)
    assert [outcome.status for outcome in outcomes] == ["accepted"] * 3
    assert ["erased" in outcome.detail for outcome in outcomes] == [True, True, False]
    named = [event for event in before if event.identifier or event.customer_id]
    again = ledger.add_events([*named, *late], NOW)
    assert [outcome.status for outcome in again] == ["duplicate"] * 7
    assert_gone(ledger, "ada-hash")
    assert [one.event.transaction_id for one in ledger.live_events() if one.event][-3:] == [
        late[0].transaction_id,
        None,
        late[2].transaction_id,
    ]


def test_who_is_erased_is_told_from_a_stranger(ledger: Ledger, marks: MarkFile) -> None:
    bring_in(ledger, *PEOPLE)
    erase(ledger, "ada-hash", marks)
    card = Identifier(type="loyalty_card", value=CARDS["ada-hash"])
    for given_ in ({"identifier": card}, {"customer_id": customer_id_of("email", "ada-hash")}):
        found = ledger.customer(**given_, as_of_ts=NOW)  # type: ignore[arg-type]
        assert found.erased
        assert found.customer_id is None
        assert ledger.erasures.is_erased(**given_)  # type: ignore[arg-type]
    for name in ("bob-hash", "nobody"):
        assert not ledger.customer(identifier=who(name), as_of_ts=NOW).erased
        assert not ledger.erasures.is_erased(identifier=who(name))
    assert ledger.erasures.lift(list(own_ids("ada-hash")), NOW, marks) == 2
    assert not ledger.customer(identifier=card, as_of_ts=NOW).erased
    bring_in(ledger, "ada-hash")
    assert ledger.resolve("email", "ada-hash")
    erase(ledger, "ada-hash", marks)  # the same second
    assert ledger.customer(identifier=card, as_of_ts=NOW).erased


def test_what_answers_write_meanwhile_is_swept(ledger: Ledger, marks: MarkFile) -> None:
    bring_in(ledger, *PEOPLE)
    decide(ledger)
    erase(ledger, "ada-hash", marks)
    ada, bob = (customer_id_of("email", name) for name in ("ada-hash", "bob-hash"))
    showings = [
        Showing(customer_id=each, channel="web", at_ts=NOW, item_ids=("tea",))
        for each in (ada, bob)
    ]
    ledger.contacts.show(showings, RULES)
    promise(ledger, ada)
    late = Exposure(
        recommendation_id="r",
        shown_ts=NOW,
        placement="p",
        model_version="m",
        items=[],
        customer_id=ada,
    )
    ledger.exposures.record([late])
    ledger.erasures.sweep(NOW)
    assert_gone(ledger, "ada-hash")
    assert ledger.contacts.state(bob).shown


def test_who_is_busy_while_being_erased_is_gone(
    ledger: Ledger, make_event: MakeEvent, marks: MarkFile
) -> None:
    bring_in(ledger, *PEOPLE)
    batches = [
        [make_event("view_item", "tea", session_id=f"v{n}", identifier=who("ada-hash"))]
        for n in range(30)
    ]

    def write(batch: list[Event]) -> None:
        ledger.add_events(batch, NOW)

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, batch) for batch in batches[:15]]
        erasing = pool.submit(erase, ledger, "ada-hash", marks)
        writing += [pool.submit(write, batch) for batch in batches[15:]]
        assert erasing.result().identifiers == 2
        assert [each.result() for each in writing] == [None] * 30
    assert_gone(ledger, "ada-hash")
    assert len(dump(ledger)["events"]) == 30


def test_marks_of_a_lost_ledger_are_in_the_file(
    ledger: Ledger, make_event: MakeEvent, marks: MarkFile, tmp_path: Path
) -> None:
    bring_in(ledger, *PEOPLE)
    erase(ledger, "ada-hash", marks)
    other = Ledger.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert other.erasures.merge(marks) == 2
    assert other.erasures.merge(marks) == 0
    live(other, make_event, "bob-hash")
    bring_in(other, *PEOPLE)
    assert_gone(other, "ada-hash")
    assert other.resolve("email", "bob-hash")
    elsewhere = MarkFile(tmp_path / "elsewhere" / "erasures.jsonl")
    assert other.erasures.merge(elsewhere) == 0
    assert elsewhere.read() == marks.read()
    other.close()


NAME = st.sampled_from(PEOPLE)
STEPS = st.one_of(
    st.tuples(st.just("live"), NAME),
    st.tuples(st.just("bring_in"), NAME),
    st.tuples(st.just("erase"), NAME),
    st.tuples(st.sampled_from(["backup", "restore"]), st.just("")),
)
folders = itertools.count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=3, max_size=12))
def test_nobody_comes_back(
    tmp_path: Path, make_event: MakeEvent, steps: list[tuple[str, str]]
) -> None:
    folder = tmp_path / str(next(folders))
    folder.mkdir()
    path, backup = folder / "ledger.sqlite", folder / "backup.sqlite"
    file = MarkFile(folder / "erasures.jsonl")
    ledger = Ledger.open(f"sqlite:///{path}")
    erased: set[str] = set()
    for step, name in [*steps, ("backup", ""), ("restore", "")]:
        if step == "live":
            if name in erased:
                ledger.add_events([make_event("login", session_id="s", identifier=who(name))], NOW)
            else:
                live(ledger, make_event, name)
        elif step == "bring_in":
            bring_in(ledger, *sorted({name, *erased}))
        elif step == "erase" and ledger.erasures.ids_of(identifier=who(name)):
            erase(ledger, name, file)
            erased.add(name)
        elif step == "backup":
            with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
                source.backup(target)
        elif step == "restore" and backup.exists():
            ledger.close()
            for old in folder.glob("ledger.sqlite*"):
                old.unlink()
            shutil.copy(backup, path)
            ledger = Ledger.open(f"sqlite:///{path}")
            ledger.erasures.merge(file)
        for each in erased:
            with_card = ledger.erasures.is_erased(
                identifier=Identifier(type="loyalty_card", value=CARDS[each])
            )
            for table, rows in dump(ledger).items():
                needles = [each, customer_id_of("email", each)]
                needles += own_ids(each) if with_card else []
                for needle in needles:
                    assert not [row for row in rows if needle in row], (table, needle)
    ledger.close()
