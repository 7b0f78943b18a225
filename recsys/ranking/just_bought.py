"""What customers bought so lately that it is not shown to them again.

In: histories, since when purchases count, and how soon products are bought again. Out: one list of
products a request; ``Rules`` bars all of their choices. What came back was not kept, so it is in
no list. Called by ``rules``.
"""

from typing import NamedTuple

import numpy as np

from recsys.datasets import Floats, Histories, IntArray, IxArray, Lists, compiled, fixed
from recsys.models import Repeat


class UntilDue(NamedTuple):
    """For how long ``n`` requests hide what was bought, by how soon it is bought again.

    Attributes
    ----------
    as_of_ts : ndarray of shape (n,), int64
        When they are asked, UTC epoch seconds.
    share : ndarray of shape (n,), float64
        Share of the intervals between two purchases that must have passed, < 1; 0: nothing is
        hidden.
    most_days : ndarray of shape (n,), float64
        Nothing is hidden for longer; for so long what is bought once in a lifetime.
    """

    as_of_ts: IntArray
    share: Floats
    most_days: Floats

    def row(self, r: int) -> "UntilDue":
        """Return those of one request.

        Parameters
        ----------
        r : int
            In ``[0, n)``.

        Returns
        -------
        UntilDue
            Of one request, views of the same arrays.
        """
        part = slice(r, r + 1)
        return UntilDue(self.as_of_ts[part], self.share[part], self.most_days[part])


def just_bought(
    histories: Histories,
    since_ts: IntArray,
    until_due: UntilDue | None,
    repeat: Repeat | None,
    choice_of: IxArray,
) -> Lists:
    """Find what was bought too lately to be shown again.

    Parameters
    ----------
    histories : Histories
        Of ``n`` customers.
    since_ts : ndarray of shape (n,), int64
        What was bought at or after it and kept is hidden, UTC epoch seconds.
    until_due : UntilDue, optional
        Besides, what is not due again is hidden.
    repeat : Repeat, optional
        Needed with ``until_due``.
    choice_of : ndarray of shape (n_items,), int32
        Choice of each product: what was bought of it counts together.

    Returns
    -------
    Lists
        ``n`` rows; a product may stand in one more than once.

    Raises
    ------
    ValueError
        When ``repeat`` is needed, and missing.
    """
    bought = histories.bought
    given = bought.indptr, bought.item_ix, bought.starts, bought.line, histories.ts, since_ts
    lately = Lists(*_since(*map(fixed, given)))
    if until_due is None:
        return lately
    if repeat is None:
        raise ValueError("what is due again needs a model of repeats.")
    awaited = repeat.awaited(histories, *until_due, choice_of)
    return Lists(
        lately.indptr + awaited.indptr,
        np.concatenate(
            [
                lists.item_ix[lists.indptr[r] : lists.indptr[r + 1]]
                for r in range(len(histories))
                for lists in (lately, awaited)
            ]
            or [lately.item_ix]
        ),
    )


@compiled
def _since(
    indptr: IntArray,
    items: IxArray,
    starts: IntArray,
    line: IntArray,
    ts: IntArray,
    since_ts: IntArray,
) -> tuple[IntArray, IxArray]:
    """Return the products of each row whose last purchase is not before a time."""
    ends, out = np.zeros(len(indptr), np.int64), np.empty(len(items), np.int32)
    found = 0
    for r in range(len(indptr) - 1):
        for at in range(indptr[r], indptr[r + 1]):
            if ts[line[starts[at + 1] - 1]] >= since_ts[r]:
                out[found] = items[at]
                found += 1
        ends[r + 1] = found
    return ends, out[:found].copy()
