"""Ids of a request that are none: a placeholder would stand for everything that has no id."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from serving.http import FieldError, Refusal

#: Beyond this many, a list of faults helps nobody.
MAX_ERRORS: Final = 20


def refuse_placeholder_ids(
    ids: Iterable[tuple[str, str | None]], fault: Callable[[str], str | None]
) -> None:
    """Refuse a request that names something by a placeholder.

    Parameters
    ----------
    ids : iterable of (str, str or None)
        JSON pointer and id; None where there is none.
    fault : callable
        Says what is wrong with an id, as ``recsys.ledger.events.event_types.item_fault`` does.

    Raises
    ------
    Refusal
        Points at each such id, and says what to do.
    """
    wrong = (
        FieldError(pointer, detail)
        for pointer, text in ids
        if text is not None and (detail := fault(text)) is not None
    )
    errors = list(islice(wrong, MAX_ERRORS))
    if errors:
        raise Refusal("invalid-request", "Placeholders are no ids.", errors)
