"""Nothing of who does not consent to profiling may be learned from; all of the others may."""

import gc
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.config import Config, ConsentSettings
from recsys.datasets import TrainingSet
from recsys.decisions import Consent
from recsys.errors import DataError, LedgerError
from recsys.history import History
from recsys.ledger.exchange import without_refusers
from recsys.ledger.ledger import Ledger
from recsys.schema import CHANNELS
from tests.recsys.conftest import write
from tests.recsys.ledger.conftest import NOW, MakeEvent

#: Each has identifiers of their own: ``a1`` and ``a2`` are one customer's.
PEOPLE = ("a", "b", "c", "d")
Said = list[tuple[str, str, bool, int]]


def people() -> list[dict[str, Any]]:
    known = [
        {"type": "email", "value": f"{who}{n}", "own_id": f"{who}{n}", "customer_id": f"{who}1"}
        for who in PEOPLE
        for n in (1, 2)
    ]
    return [*known, {"type": "card", "value": "0", "own_id": "x", "customer_id": None}]


def line(who: str | None, item: str, order: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": who, "item_id": item, "order_id": order, "ts": NOW, **more}


def say(config: Config, said: Said) -> None:
    ledger = Ledger.open(config.ledger_url)
    for own_id, channel, given_, at_ts in said:
        ledger.contacts.consent([own_id], [Consent("profiling", channel, given_, at_ts)])
    ledger.close()


def consents(said: Said, who: str, *, unsaid: bool) -> bool:
    """Decide it once more, channel by channel and identifier by identifier."""
    for channel in CHANNELS:
        words = []
        for own_id in (f"{who}1", f"{who}2"):
            about = [
                (ts, not given_)
                for at, of, given_, ts in said
                if at == own_id and of in ("", channel)
            ]
            if about:
                words.append(not max(about)[1])
        if not (all(words) if words else unsaid):
            return False
    return True


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(folder=tmp_path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.tuples(
            st.sampled_from([f"{who}{n}" for who in PEOPLE for n in (1, 2)]),
            st.sampled_from(["", "email", "web"]),
            st.booleans(),
            st.integers(NOW, NOW + 3),
        ),
        max_size=8,
    ),
    lines=st.lists(
        st.tuples(
            st.sampled_from([*PEOPLE, None]), st.sampled_from("tuv"), st.sampled_from("123456")
        ),
        min_size=1,
    ),
    returned=st.lists(st.sampled_from("123456"), max_size=3),
    unsaid=st.booleans(),
)
def test_what_may_be_learned_from_is_what_the_others_did(
    said: Said, lines: Sequence[tuple[str | None, str, str]], returned: list[str], unsaid: bool
) -> None:
    rows = [
        line(who and f"{who}1", item, f"{who}{order}", channel="web") for who, item, order in lines
    ]
    # At a till nobody says who brings something back.
    rows += [
        line(None, "t", f"r{n}", quantity=-1.0, return_of=f"a{order}")
        for n, order in enumerate(returned)
    ]
    events = [
        {"event_id": f"e{n}", "event": "view_item", "customer_id": who and f"{who}1"}
        for n, (who, *_) in enumerate(lines)
    ]
    customers = [{"customer_id": f"{who}1"} for who in PEOPLE]
    with tempfile.TemporaryDirectory() as folder:
        config = Config(folder=Path(folder), consents=ConsentSettings(profiling=unsaid))
        Ledger.open(config.ledger_url).close()
        history = write(
            rows, Path(folder), identifiers=people(), events=events, customers=customers
        )
        say(config, said)
        found = without_refusers(config, history)
        out = {who for who in PEOPLE if not consents(said, who, unsaid=unsaid)}
        ids = {f"{who}1" for who in out}
        gone = {row["order_id"] for row in rows if row["customer_id"] in ids}

        def kept(name: str) -> list[dict[str, Any]]:
            return [
                row
                for row in history.table(name).to_pylist()
                if row["customer_id"] not in ids and row.get("return_of") not in gone
            ]

        for name in ("lines", "events", "customers"):
            assert found.history.table(name).to_pylist() == kept(name)
        assert found.history.table("products") == history.table("products")
        assert found.history.summary == history.summary
        assert found.left_out == len(out)
        for who in PEOPLE:
            for own_id in (f"{who}1", f"{who}2"):
                assert found.includes(own_id) == (who not in out)
        assert found.includes("") == unsaid
        del found
        gc.collect()
        assert not list(Path(folder).rglob("learnable-*"))


def test_who_was_linked_since_the_ingest_refuses_for_both(
    config: Config, write_history: Callable[..., History], make_event: MakeEvent
) -> None:
    history = write_history(
        [line("a1", "t", "1"), line("b1", "t", "2")],
        identifiers=people(),
        customers=[{"customer_id": "a1"}, {"customer_id": "b1"}],
    )
    ledger = Ledger.open(config.ledger_url)
    ledger.replace_histories("v1", [], [("card", "new", "n1", "a1")], contained=0, systems=[])
    ledger.close()
    say(config, [("n1", "", False, NOW)])
    found = without_refusers(config, history)
    assert found.history.table("lines")["customer_id"].to_pylist() == ["b1"]
    assert found.left_out == 1
    say(config, [("n1", "", True, NOW + 1)])
    assert without_refusers(config, history).history is history  # nothing is copied


def test_where_everybody_must_agree_first_who_said_nothing_teaches_nothing(
    config: Config, write_history: Callable[..., History]
) -> None:
    history = write_history(
        [line("a1", "t", "1"), line("b1", "t", "2"), line(None, "t", "3")],
        identifiers=people(),
        customers=[{"customer_id": "a1"}, {"customer_id": "b1"}],
    )
    careful = msgspec.structs.replace(config, consents=ConsentSettings(profiling=False))
    Ledger.open(careful.ledger_url).close()
    found = without_refusers(careful, history)
    assert found.left_out == 2
    training = TrainingSet.read(found.history, NOW + 1)
    assert len(training.baskets.customer_ids) == 0
    assert training.baskets.items.shape[0] == 1  # an order that names nobody stays


def test_without_the_ledger_nothing_is_learned(
    config: Config, write_history: Callable[..., History]
) -> None:
    history = write_history([line("a1", "t", "1")], identifiers=people())
    with pytest.raises(LedgerError, match="no ledger yet"):
        without_refusers(config, history)


def test_where_no_copy_can_be_written_it_is_said(
    config: Config,
    write_history: Callable[..., History],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = write_history(
        [line("a1", "t", "1")], identifiers=people(), customers=[{"customer_id": "a1"}]
    )
    say(config, [("a1", "", False, NOW)])

    def full(**_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(DataError, match="No space left on device"):
        without_refusers(config, history)
