"""Warnings: what is probably wrong with a request that is answered all the same.

An event that names an unknown product, or a filter value that no product has, is valid but most
often a mistake. Called by the views of events, recommendations and product pages.
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

#: A live event is reported within hours; an older one than this has a wrong date, or comes from an
#: archive, which belongs in the exports.
_LONG_AGO_DAYS: Final = 30


def of_event(state: State, event: Event, pointer: str, now_ts: int) -> Iterator[FieldError]:
    """Yield what is probably wrong with an accepted event.

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


def of_identifier(state: State, sent: Identifier | None, pointer: str) -> Iterator[FieldError]:
    """Yield a warning if the workspace does not know the type of an identifier."""
    if sent is not None and sent.type not in state.identifier_types:
        hint = nearest_name(sent.type, state.identifier_types)
        text = f"`{sent.type}` is no type of identifier that the workspace knows.{hint}"
        yield FieldError(f"{pointer}/type", text)


def _of_currencies(state: State, event: Event, pointer: str) -> Iterator[FieldError]:
    currencies = {f"{pointer}/currency": event.currency}
    for ix, item in enumerate(event.items):
        if isinstance(item.price, Money):
            currencies[f"{pointer}/items/{ix}/price/currency"] = item.price.currency
    for at, currency in currencies.items():
        if currency is not None and currency not in state.currencies:
            own = ", ".join(sorted(state.currencies))
            yield FieldError(at, f"`{currency}` is another currency than the workspace's: {own}.")


def of_filter(engine: Engine, sent: Filter | None) -> list[FieldError]:
    """Return a warning for each value of a request's filter that no product has."""
    if sent is None:
        return []
    return [FieldError("/filter", text) for text in unknown_values(engine, sent)]


def add(answer: dict[str, Any], found: list[FieldError]) -> None:
    """Add warnings to an answer; without any, add no field."""
    if found:
        answer["warnings"] = [{"pointer": one.pointer, "detail": one.detail} for one in found]
