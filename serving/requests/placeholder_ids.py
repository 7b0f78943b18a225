"""Refuses placeholders as ids: a placeholder would stand for everything that has no id."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from serving.http import FieldError, Refusal

#: Most faults that a problem lists.
MAX_ERRORS: Final = 20


def refuse_placeholder_ids(
    ids: Iterable[tuple[str, str | None]], fault: Callable[[str], str | None]
) -> None:
    """Refuse a request that uses a placeholder as an id.

    Parameters
    ----------
    ids : iterable of (str, str or None)
        JSON pointer and id; None if the id was not sent.
    fault : callable
        Returns what is wrong with an id, as ``recsys.ledger.events.item_fault`` does.

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
