"""A ledger in each kind of database, and events to put into it."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from recsys.ledger.events.event_types import Event, EventItem, Identifier
from recsys.ledger.ledger import Ledger

NOW = 1_700_000_000


@pytest.fixture
def empty_postgres(postgres: str) -> str:
    """URL of a PostgreSQL database that holds nothing."""
    engine = sa.create_engine(sa.make_url(postgres).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database that holds nothing yet, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    url: str = request.getfixturevalue("empty_postgres")
    return url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


MakeEvent = Callable[..., Event]


@pytest.fixture
def make_event() -> MakeEvent:
    """Make a sealed event; name only what matters."""
    numbers = itertools.count()

    def make(event: str = "purchase", *items: str, at: int = NOW, **fields: Any) -> Event:
        number = next(numbers)
        if event == "purchase":
            fields.setdefault("transaction_id", f"T{number}")
        if isinstance(fields.get("identifier"), str):
            fields["identifier"] = Identifier(type="email", value=fields["identifier"])
        return Event(
            event_id=fields.pop("event_id", f"e{number}"),
            event=event,  # type: ignore[arg-type]  # one of EventName, by the caller's care
            occurred_at=datetime.fromtimestamp(at, UTC),
            items=fields.pop("lines", [EventItem(item_id=item, price=1.5) for item in items]),
            **fields,
        )

    return make
