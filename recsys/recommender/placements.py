"""A question as channels ask it: a placement, whose turn it is there, and what is known besides.

The service and the command line make a ``Question`` from a request and the workspace's settings;
``engine`` answers it.
"""

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

import msgspec

from recsys.config import (
    PLACEMENTS,
    Config,
    Filter,
    Group,
    PlacementSettings,
    filters,
    parse_filter,
)
from recsys.decisions import NOTHING, Suppression
from recsys.errors import ConfigError

#: Where people who meet a placement on this channel buy. An e-mail leads anywhere.
BOUGHT_ON: Final[dict[str, str | None]] = {
    "pos": "pos",
    "store_screen": "pos",
    "associate": "pos",
    "web": "web",
    "app": "app",
    "email": None,
    "marketplace": "marketplace",
}


#: Placement of a customer who scanned their card at a kiosk.
KIOSK: Final = "store_kiosk"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to show one customer on one placement."""

    placement: str
    """Name of the placement."""
    settings: PlacementSettings
    """Its settings."""
    as_of_ts: int
    """The time it is asked for, UTC epoch seconds; nothing later is taken into account."""
    recommendation_id: str = ""
    """Names the answer; events echo it."""
    count: int | None = None
    """Items wanted; the placement's own count by default."""
    lang: str = "en"
    """Tag of the offered language that the answer is worded in."""
    location_id: str | None = None
    """Store or warehouse that the customer would buy from."""
    item_ids: tuple[str, ...] = ()
    """Products that are being looked at."""
    cart: tuple[str, ...] = ()
    """Products in the cart."""
    exclude: tuple[str, ...] = ()
    """Products that must not be shown."""
    lead: tuple[str, ...] = ()
    """Products that lead the list, in their order, unless something forbids them; not on a
    placement that is not personal."""
    suppression: Suppression = NOTHING
    """What the customer refused, or was shown as often as caps allow."""
    factors: Mapping[str, float] = {}
    """Factors, > 0, on the odds of products by which they are ordered, one of each choice; see
    ``decisions.factors``. Scores stay as they are."""
    filter: Filter | None = None
    """What products must be, on top of the placement's own filter."""
    attributes: tuple[str, ...] = ()
    """What else to say of each item, by name; ``*`` for everything."""
    explain: bool = False
    """Whether to say what each model thought of each item."""
    offers: int = 0
    """Bundles that may be offered; 0 to somebody to whom nothing can be promised."""
    standing: tuple[str, ...] = ()
    """Bundles that are promised to the customer already."""
    promises: Literal["any", "cart", "none"] = "any"
    """What may be promised anew: any bundle, one of which a part is in the cart, or none."""
    customer_known: bool = False
    """Whether the request named somebody who is known."""


def filter_of(question: Question, more: Filter | None = None) -> Filter | None:
    """Return what products must be for a question: the placement's filter, its own, and one more.

    Parameters
    ----------
    question : Question
    more : Filter, optional
        None by default.
    """
    stored = question.settings.filter
    own = _parsed(msgspec.json.encode(stored)) if stored else None
    parts = tuple(part for part in (own, question.filter, more) if part is not None)
    if len(parts) < 2:
        return parts[0] if parts else None
    return Group("and", parts)


@lru_cache(maxsize=256)  # placements are few, and asked again and again
def _parsed(text: bytes) -> Filter:
    return parse_filter(msgspec.json.decode(text), language=filters.ALL_OF_PRODUCTS)


def all_placements(config: Config) -> dict[str, PlacementSettings]:
    """Every placement of a workspace by name: the built-in ones and its own, which come first.

    Parameters
    ----------
    config : Config
        Of the workspace.

    Returns
    -------
    dict of str to PlacementSettings
        The workspace's own replace built-in ones of the same name.
    """
    return {**PLACEMENTS, **config.placements}


def find_placement(config: Config, name: str) -> PlacementSettings:
    """Settings of a placement.

    Parameters
    ----------
    config : Config
        Of the workspace.
    name : str
        A built-in placement, or one of the workspace's own.

    Returns
    -------
    PlacementSettings

    Raises
    ------
    ConfigError
        When there is none of that name; names the nearest.
    """
    found = config.placement(name)
    if found is None:
        known = all_placements(config)
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise ConfigError(f"no placement `{name}`.{hint} Known: {', '.join(known)}.")
    return found
