"""How much less a product draws that was shown before and ignored, so that lists change.

In: a customer's contact state, when they bought, and the time. Out: factors on the odds of what
was shown. Called by the service before it ranks, and by ``rotation_fit`` for how often the
products of exposures had been ignored.
"""

import math
from collections.abc import Callable, Iterable, Sequence
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
#: When each of some choices was last bought.
BoughtTs = Callable[[Sequence[str]], IntArray]


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
    bought_ts: BoughtTs | None = None,
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
    bought_ts : callable, optional
        Of the names of choices, returns when each was last bought, UTC epoch seconds; anything
        before the reach of ``rotation`` where it was not. None was by default.

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
    shown = contact.shown
    item_ids = [*shown]
    if len(shown) > MAX_CHOICES:
        item_ids = shown_since(contact, since_ts)
    if not item_ids or rotation.decay == 1.0:
        return {}
    places: dict[str, int] = {}
    of = [places.setdefault(name, len(places)) for name in choices_of(item_ids)]
    times: list[int] = []
    ends = []
    for item_id in item_ids:
        for on_channel in shown[item_id].values():
            times += on_channel
        ends.append(len(times))
    answered = np.full(len(places), since_ts)
    if bought_ts is not None:
        np.maximum(answered, bought_ts([*places]), out=answered)
    clicked = [click for click in contact.clicks if since_ts < click.at_ts <= now_ts]
    names = choices_of([click.item_id for click in clicked]) if clicked else ()
    for click, name in zip(clicked, names, strict=True):
        if name in places:
            answered[places[name]] = max(answered[places[name]], click.at_ts)
    arrays = np.array(times), np.array(ends), np.array(of), answered[:MAX_CHOICES]
    tired = _tired(*arrays, since_ts, now_ts, rotation.half_life_days * DAY)
    found = dict(zip(reversed(of), reversed(item_ids), strict=True))
    return {
        found[place]: factor
        for place, factor in enumerate((rotation.decay**tired).tolist())
        if factor != 1.0
    }


@compiled
def _tired(
    times: IntArray,
    ends: IntArray,
    of: IntArray,
    answered_ts: IntArray,
    since_ts: int,
    now_ts: int,
    half_life: float,
) -> Floats:
    """Return ``tiredness(visits(...))`` of each choice.

    The times of a product end before its ``ends``; ``of`` says of which choice it is. What was not
    shown since ``since_ts`` does not count.
    """
    tired = np.zeros(len(answered_ts))
    mine = np.empty_like(times)
    by_choice = np.argsort(of)
    n = 0
    for place in range(len(answered_ts)):
        count = 0
        while n < len(of) and of[by_choice[n]] == place:
            product = by_choice[n]
            begin, end = ends[product - 1] if product else 0, ends[product]
            n += 1
            if times[begin:end].max() <= since_ts:
                continue
            for at in range(begin, end):  # most are in their order already
                ts, k = times[at], count
                while k > 0 and mine[k - 1] > ts:
                    mine[k] = mine[k - 1]
                    k -= 1
                mine[k] = ts
                count += 1
        next_ts = -_EVER
        for k in range(count):
            if mine[k] >= next_ts:
                next_ts = mine[k] + VISIT_SECONDS
                if answered_ts[place] < mine[k] <= now_ts - VISIT_SECONDS:
                    tired[place] += 2.0 ** ((mine[k] - now_ts) / half_life)
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
