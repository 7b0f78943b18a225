"""How much less a product draws that was shown before and ignored, so that lists change.

In: a customer's contact state, when they bought, and the time. Out: factors on the odds of what
was shown. Called by the service before it ranks, and by ``rotation_fit`` for how often the
products of exposures had been ignored.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from recsys.datasets import Floats, IntArray, compiled
from recsys.decisions.contact_state import ContactState
from recsys.decisions.suppression import ChoicesOf
from recsys.units import DAY

#: Showings of a product within so many seconds are one: pages are loaded again within a visit.
#: What the present visit has shown does not count yet, so that its lists stay as they are.
VISIT_SECONDS: Final = 1_800
#: Choices whose showings count for one customer; beyond, those shown longest ago do not.
MAX_CHOICES: Final = 200
#: Half-lives after which a showing no longer counts: it would lower odds by a hundredth or so.
REACH: Final = 4.0

_EVER: Final = 1 << 62


class Rotation(msgspec.Struct, frozen=True):
    """What ignored showings do to the odds of a click."""

    decay: float
    """Factor on the odds of each showing that was just ignored; in (0, 1], 1: none."""
    half_life_days: float
    """Days after which half of it is forgotten."""

    @property
    def reach_days(self) -> float:
        """How long ago a showing may be, and still count."""
        return REACH * self.half_life_days


def factors(
    contact: ContactState,
    rotation: Rotation,
    now_ts: int,
    choices_of: ChoicesOf = list,
    bought_ts: Mapping[str, int] | None = None,
    recent: Sequence[str] | None = None,
) -> dict[str, float]:
    """Return the factors on the odds of what a customer was shown and ignored.

    A showing is ignored if the customer neither clicked on the product nor bought it since. So what
    was clicked and not bought comes back as if it had never been shown, once: from then on its
    showings count.

    Parameters
    ----------
    contact : ContactState
        Of the customer, over all channels.
    rotation : Rotation
    now_ts : int
        UTC epoch seconds; nothing later counts.
    choices_of : callable
        Names the choice of each of some products; what happened to one of a choice counts for
        all of it. By default every product is alone.
    bought_ts : mapping of str to int, optional
        When each choice was last bought, UTC epoch seconds; none was by default.
    recent : sequence of str, optional
        What ``shown_since`` returns for the reach of ``rotation``, where it is known.

    Returns
    -------
    dict of str to float
        Of one product of each choice, in (0, 1); 1 for all others.

    Notes
    -----
    The factor is ``decay ** tiredness``, where ``tiredness`` is the number of ignored showings,
    each half after every half-life. It is that of impression discounting [1]_ with a discount
    that wears off.

    References
    ----------
    .. [1] Lee, Lakshmanan, Tiwari, Shah (2014), Modeling impression discounting in large-scale
       recommender systems, KDD.
    """
    since_ts = now_ts - int(rotation.reach_days * DAY)
    recent = shown_since(contact, since_ts) if recent is None else recent
    if not recent or rotation.decay == 1.0:
        return {}
    answered = dict(bought_ts or {})
    clicked = [click for click in contact.clicks if since_ts < click.at_ts <= now_ts]
    names = choices_of([*recent, *(click.item_id for click in clicked)])
    for click, choice in zip(clicked, names[len(recent) :], strict=True):
        answered[choice] = max(answered.get(choice, 0), click.at_ts)
    shown: dict[str, list[list[int]]] = {}
    first: dict[str, str] = {}
    for item_id, choice in zip(recent, names, strict=False):
        if choice in shown:
            shown[choice] += contact.shown[item_id].values()
        elif len(shown) < MAX_CHOICES:
            shown[choice] = [*contact.shown[item_id].values()]
            first[choice] = item_id
    times = np.array([ts for of in shown.values() for channel in of for ts in channel], np.int64)
    ends = np.cumsum([sum(map(len, of)) for of in shown.values()])
    known = np.array([max(since_ts, answered.get(choice, 0)) for choice in shown], np.int64)
    tired = _tired(times, ends, known, now_ts, rotation.half_life_days * DAY)
    factor = (rotation.decay**tired).tolist()
    return {
        item_id: value
        for item_id, value, weight in zip(first.values(), factor, tired.tolist(), strict=True)
        if weight
    }


@compiled
def _tired(
    times: IntArray, ends: IntArray, answered_ts: IntArray, now_ts: int, half_life: float
) -> Floats:
    """Return ``tiredness(visits(...))`` of each choice; its times end before its ``ends``."""
    tired = np.zeros(len(ends))
    begin = 0
    for n in range(len(ends)):
        next_ts = -_EVER
        for ts in np.sort(times[begin : ends[n]]):
            if ts >= next_ts:
                next_ts = ts + VISIT_SECONDS
                if answered_ts[n] < ts <= now_ts - VISIT_SECONDS:
                    tired[n] += 2.0 ** ((ts - now_ts) / half_life)
        begin = ends[n]
    return tired


def shown_since(contact: ContactState, since_ts: int) -> list[str]:
    """Return the products that were shown after a time, those shown last first.

    Parameters
    ----------
    contact : ContactState
    since_ts : int
        UTC epoch seconds.
    """
    last = {
        item_id: next(iter(of.values()))[-1]
        if len(of) == 1
        else max(each[-1] for each in of.values())
        for item_id, of in contact.shown.items()
    }
    recent = [item_id for item_id, ts in last.items() if ts > since_ts]
    return sorted(recent, key=last.__getitem__, reverse=True)


def visits(times: Iterable[int]) -> list[int]:
    """Return the showings that count, ascending: none within ``VISIT_SECONDS`` of another.

    Parameters
    ----------
    times : iterable of int
        UTC epoch seconds, in any order.

    Returns
    -------
    list of int
        The first showing of each visit.
    """
    counted: list[int] = []
    next_ts = -_EVER
    for ts in sorted(times):
        if ts >= next_ts:
            counted.append(ts)
            next_ts = ts + VISIT_SECONDS
    return counted


def tiredness(
    shown_ts: Iterable[int], now_ts: int, half_life_days: float, answered_ts: int = 0
) -> float:
    """Return how many ignored showings weigh on a product.

    Parameters
    ----------
    shown_ts : iterable of int
        As ``visits`` returns them.
    now_ts : int
        UTC epoch seconds; showings less than ``VISIT_SECONDS`` before do not count.
    half_life_days : float
        Age at which a showing counts half. Days, > 0.
    answered_ts : int
        Showings until then were answered, by a click or a purchase.

    Returns
    -------
    float
        Showings, >= 0.
    """
    seconds, until_ts = half_life_days * DAY, now_ts - VISIT_SECONDS
    ignored = [ts for ts in shown_ts if answered_ts < ts <= until_ts]
    return math.fsum([2.0 ** ((ts - now_ts) / seconds) for ts in ignored]) if ignored else 0.0
