"""What is probably wrong with a request that is answered all the same: warnings, not refusals.

An event that names an unknown product or a filter that no product passes is valid, and most often
a slip of the pen. Called by the views of events, questions and product pages.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from recsys.config import Filter, nearest_name
from recsys.ledger.events import Event, Identifier, Money
from recsys.messages import counted
from recsys.recommender import Engine, unknown_values
from recsys.units import DAY
from serving.http import FieldError
from serving.state import State

#: A live event is told within hours; one that is older than this was dated wrongly, or comes from
#: an archive, which belongs into the exports.
_LONG_AGO_DAYS: Final = 30


def of_event(state: State, event: Event, pointer: str, now_ts: int) -> Iterator[FieldError]:
    """Yield what is doubtful about an event that was taken.

    Parameters
    ----------
    state : State
    event : Event
        As it was sent.
    pointer : str
        Where it stands in the request.
    now_ts : int
        The service's time, UTC epoch seconds.
    """
    engine = state.engine
    if engine is not None and event.items:
        known = engine.index.ix_of([item.item_id for item in event.items])
        for ix in (known < 0).nonzero()[0].tolist():
            item_id = event.items[ix].item_id
            yield FieldError(
                f"{pointer}/items/{ix}/item_id", f"`{item_id}` is not in the model's catalogue."
            )
    yield from of_identifier(state, event.identifier, f"{pointer}/identifier")
    yield from _of_currencies(state, event, pointer)
    days = (now_ts - event.occurred_ts) // DAY
    if days > _LONG_AGO_DAYS:
        now = datetime.fromtimestamp(now_ts, UTC)
        yield FieldError(
            f"{pointer}/occurred_at",
            f"is {counted(days, 'day')} before the service's time, {now:%Y-%m-%d %H:%M} UTC.",
        )


def of_identifier(state: State, given: Identifier | None, pointer: str) -> Iterator[FieldError]:
    """Yield that an identifier is of a type that the workspace does not know."""
    if given is not None and given.type not in state.identifier_types:
        hint = nearest_name(given.type, state.identifier_types)
        text = f"`{given.type}` is no type of identifier that the workspace knows.{hint}"
        yield FieldError(f"{pointer}/type", text)


def _of_currencies(state: State, event: Event, pointer: str) -> Iterator[FieldError]:
    told = {f"{pointer}/currency": event.currency}
    for ix, item in enumerate(event.items):
        if isinstance(item.price, Money):
            told[f"{pointer}/items/{ix}/price/currency"] = item.price.currency
    for at, currency in told.items():
        if currency is not None and currency not in state.currencies:
            own = ", ".join(sorted(state.currencies))
            yield FieldError(at, f"`{currency}` is another currency than the workspace's: {own}.")


def of_filter(engine: Engine, given: Filter | None) -> list[FieldError]:
    """Say which values of a request's filter no product has."""
    if given is None:
        return []
    return [FieldError("/filter", text) for text in unknown_values(engine, given)]


def add(answer: dict[str, Any], found: list[FieldError]) -> None:
    """Put warnings into an answer that is a dictionary; where there are none, no field."""
    if found:
        answer["warnings"] = [{"pointer": one.pointer, "detail": one.detail} for one in found]
