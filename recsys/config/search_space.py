"""Search space of ``omnibasket tune``: one range for each setting, with its unit.

The table below names what is known of a setting; a numeric setting that it does not name is
searched around its present value, within what its type allows. So a new section is searched as
soon as it is there, and a line here makes its range a better one. Read by ``training.tune`` only.
"""

from collections.abc import Iterator
from math import ceil, floor, inf
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Meta

from recsys.config.settings import Settings

#: Sections of omnibasket.toml that are searched, where they are there: what ranks, nothing else.
SECTIONS: Final = ("models", "ranker")


class Range(NamedTuple):
    """Where a setting is searched.

    Attributes
    ----------
    low, high : float
        Both included.
    unit : str
        For people; empty for what has none.
    log : bool
        By factors rather than by steps: from 7 to 14 is as far as from 70 to 140.
    """

    low: float
    high: float
    unit: str = ""
    log: bool = True


#: Setting → range; None: never searched, for the reason beside it.
RANGES: Final[dict[str, Range | None]] = {
    "models.popular.half_life_days": Range(3, 90, "days"),
    "models.popular.min_lines": Range(50, 5_000, "lines"),
    "models.trending.half_life_days": Range(3, 28, "days"),
    "models.trending.past_half_life_days": Range(30, 360, "days"),
    "models.trending.false_share": Range(0.01, 0.2, "share"),
    "models.trending.min_lines": Range(200, 5_000, "lines"),
    "models.repeat.half_life_days": Range(30, 720, "days"),
    "models.repeat.doubt": Range(0.1, 5, "repeats"),
    "models.repeat.due": Range(0, 1, "share", log=False),
    "models.repeat.now": Range(0, 1, "share", log=False),
    "models.repeat.once_below": Range(0.01, 0.5, "share"),
    "models.repeat.horizon_days": None,  # says what is asked for, not how well it is answered
    "models.copurchase.min_support": Range(2, 20, "baskets"),
    "models.copurchase.neighbours": Range(20, 200, "products"),
    "models.copurchase.shrinkage": Range(1, 100, "baskets"),
    "models.copurchase.window_days": Range(7, 90, "days"),
    "models.copurchase.memory_days": Range(10, 365, "days"),
    "models.copurchase.half_life_days": Range(7, 180, "days"),
    "models.transitions.min_support": Range(2, 20, "pairs of orders"),
    "models.transitions.neighbours": Range(20, 200, "products"),
    "models.transitions.shrinkage": Range(1, 100, "orders"),
    "models.als.factors": Range(16, 128, "numbers"),
    "models.als.iterations": None,  # more never hurt, and cost time
    "models.als.regularization": Range(0.002, 0.2),
    "models.als.alpha": Range(0.2, 20),
    "models.als.half_life_days": Range(15, 365, "days"),
    "models.als.weights.purchase": None,  # the others are told in purchases
    "models.als.weights.cart": Range(0, 2, "purchases", log=False),
    "models.als.weights.view": Range(0, 1, "purchases", log=False),
    "models.als.weights.return": Range(0, 1, "purchases", log=False),
    "models.bpr.factors": Range(16, 128, "numbers"),
    "models.bpr.iterations": None,
    "models.bpr.learning_rate": Range(0.01, 0.2),
    "models.bpr.regularization": Range(0.001, 0.1),
    "models.bpr.half_life_days": Range(15, 365, "days"),
    "models.bpr.weights.purchase": None,
    "models.bpr.weights.cart": Range(0, 2, "purchases", log=False),
    "models.bpr.weights.view": Range(0, 1, "purchases", log=False),
    "models.bpr.weights.return": Range(0, 1, "purchases", log=False),
    "models.neighbours.products": None,  # memory grows with its square
    "models.neighbours.neighbours": Range(25, 400, "products"),
    "models.neighbours.regularization": Range(0.2, 20),
    "models.neighbours.half_life_days": Range(30, 720, "days"),
    "models.content.words": Range(0, 1, log=False),
    "models.content.category": Range(0, 1, log=False),
    "models.content.brand": Range(0, 1, log=False),
    "models.content.half_life_days": Range(20, 365, "days"),
    "models.content.sold_half_life_days": Range(7, 180, "days"),
    "ranker.trees": Range(40, 200, "trees"),  # each costs time in every answer
    "ranker.learning_rate": Range(0.02, 0.3),
    "ranker.order_trees": Range(10, 200, "trees"),
    "ranker.leaves": Range(7, 32, "leaves"),  # larger trees are walked more slowly
    "ranker.min_examples": Range(20, 1_000, "candidates"),
    "ranker.l2": Range(0.5, 50),
    "ranker.features": Range(0.2, 1, "share"),
    "ranker.min_customers": None,  # says when trees are trusted, which no window can
}

#: A setting without a line is searched up to so many times its value, and down to as small a part.
_FACTOR: Final = 4.0
#: Parts of a name that say its unit.
_UNITS: Final = ("days", "minor", "seconds")


def numeric(section: Settings, where: str) -> Iterator[tuple[str, Any, Any]]:
    """List the numeric settings of a section and of the sections in it.

    Parameters
    ----------
    section : Settings
    where : str
        Its dotted path.

    Yields
    ------
    setting : str
        Dotted path, as in omnibasket.toml.
    kind : type
        As declared, with its bounds.
    value : int or float
        As it is set. What is switched off (``enabled = false``) is left out, with all it holds.
    """
    if not getattr(section, "enabled", True):
        return
    for field in msgspec.structs.fields(section):
        value, path = getattr(section, field.name), f"{where}.{field.encode_name}"
        if isinstance(value, Settings):
            yield from numeric(value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield path, field.type, value


def of(setting: str, kind: Any, value: float) -> Range | None:
    """Return where a setting is searched; None where it is not.

    Parameters
    ----------
    setting : str
        Dotted path.
    kind : type
        As declared.
    value : float
        As it is set. The range holds it, whatever the table says.
    """
    found = RANGES[setting] if setting in RANGES else _around(setting, kind, value)
    if found is None:
        return None
    low, high = min(found.low, value), max(found.high, value)
    if is_whole(kind):
        low, high = ceil(low), floor(high)
    return found._replace(low=low, high=high, log=found.log and low > 0)


def bounds(kind: Any) -> tuple[float, float]:
    """Smallest and largest value that a declared type takes; a bound that is left out counts."""
    low, high = -inf, inf
    for meta in get_args(kind)[1:] if get_origin(kind) is Annotated else ():
        if isinstance(meta, Meta):
            low = max(low, *(b for b in (meta.ge, meta.gt) if b is not None), -inf)
            high = min(high, *(b for b in (meta.le, meta.lt) if b is not None), inf)
    return low, high


def is_whole(kind: Any) -> bool:
    """Whether a declared type takes whole numbers only."""
    return (get_args(kind)[0] if get_origin(kind) is Annotated else kind) is int


def _around(setting: str, kind: Any, value: float) -> Range | None:
    """Range of a setting that the table does not name."""
    low, high = bounds(kind)
    unit = next((unit for unit in _UNITS if setting.endswith(f"_{unit}")), "")
    if (low, high) == (0, 1):
        edge = 0.01  # the bounds themselves may be left out
        return Range(edge, 1 - edge, "share", log=False)
    if value > 0:
        return Range(max(value / _FACTOR, low), min(value * _FACTOR, high), unit)
    if value == low:
        return Range(value, min(value + 1, high), unit, log=False)
    return None  # nothing says where to look
