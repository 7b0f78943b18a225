"""Settings of placements, ``[placements.NAME]``: what a named slot on a channel shows.

Part of ``config.settings``; docs/configuration.md explains them, and lists the built-in ones.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from recsys.config.settings import Settings, Share
from recsys.languages import Tag

Objective = Literal["purchase", "margin", "new"]
Action = Literal["pin", "boost", "bury", "exclude"]
Day = Literal[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekdays",
    "weekend",
]


class PlacementRule(Settings, frozen=True):
    """What a placement does with some products, for whom and when."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    """Said in decisions and explanations; no two rules of a placement share one."""
    action: Action
    """``pin``: stands at ``position``; ``boost``, ``bury``: ranks by ``factor`` times its value;
    ``exclude``: is not shown."""
    item_ids: list[str] = field(default_factory=list)
    """Products that it is about; for a pin in order of preference. Or ``filter``."""
    filter: dict[str, Any] = field(default_factory=dict)
    """Filter on the products that it is about, as in ``filter`` of the placement."""
    position: Annotated[int, Meta(ge=1, le=200)] | None = None
    """Place in the list, from 1; 1 by default. Pins only."""
    factor: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """Above 1 for a boost, below 1 to bury."""
    since: Any = field(default=None, name="from")
    """Date or date-time from which it holds."""
    until: Any = None
    """Date, the last day on which it holds, or date-time at which it ends."""
    days: list[Day] = field(default_factory=list)
    """Days of the week on which it holds; ``weekdays`` and ``weekend`` as well. Empty: all."""
    hours: str | list[str] = field(default_factory=list)
    """Hours at which it holds, such as ``17:00-20:00``. Empty: all."""
    locations: list[str] = field(default_factory=list)
    """Locations of questions for which it holds. Empty: all, and questions without one."""
    audience: dict[str, Any] = field(default_factory=dict)
    """Customers for whom it holds. Empty: everybody."""
    time_zone: str | None = None
    """IANA zone of its times; the workspace's by default."""


class PlacementSettings(Settings, frozen=True):
    """A named slot on a channel."""

    channel: str
    """Channel of the slot."""
    lang: Tag | None = None
    """Language of its answers, unless the request says another; the workspace's by default."""
    count: Annotated[int, Meta(ge=1, le=200)] = 10
    """Items in an answer, unless the request says otherwise."""
    personal: bool = True
    """False: the customer's history has no effect, as on a public screen."""
    in_stock: bool = True
    """Only products that the location has on hand, where its stock is known."""
    scarce_below: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0
    """Nothing of which fewer pieces can be sold at the location, or at all together where the
    question has none, as far as the stock is known; 0: no such rule."""
    hide_bought_days: Annotated[float, Meta(ge=0)] = 1.0
    """Days for which something just bought is not shown again."""
    hide_until_due: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Beyond these days, it is hidden until this share of the intervals between two purchases of it
    would be over; 0: no longer."""
    hide_at_most_days: Annotated[float, Meta(ge=0)] = 180.0
    """Days after which it is no longer hidden because it is not due."""
    objective: Objective = "purchase"
    """Sort by the probability of purchase, by the expected margin, or by the probability of
    purchase among products that the customer has never bought."""
    diversity: Share = 0.2
    """Strength of the penalty on variants of one product and near-duplicates; 0: none."""
    new_share: Share = 0.0
    """Least share of products that the customer has never bought, where there are enough."""
    age_restricted: bool = False
    """Whether goods with a minimum age may be shown, and offered in bundles."""
    service: bool = False
    """Whether it is part of a service message, such as an order confirmation, which needs no
    consent to marketing, and is neither capped, held back nor counted."""
    counts: Literal["decided", "sent", "seen"] = "decided"
    """When a showing counts: when it is decided, when ``email_sent`` reports it, or when
    ``view_item_list``, ``view_promotion`` or ``email_opened`` does. Until then it is reserved."""
    reserve_hours: Annotated[float, Meta(gt=0, le=720)] = 24.0
    """How long what is decided stays reserved without a report."""
    priority: Annotated[int, Meta(ge=0, le=100)] = 50
    """Of a message, among messages: one of a higher priority takes the place of one that is
    reserved and to go out later."""
    when_held: Literal["wait", "expire"] = "wait"
    """Whether a message that is held back may go out later, or never."""
    left_cart: bool = False
    """Answers name the cart that the customer left on any channel, and what goes with it. A
    message is only made while something is left in it."""
    offers: Annotated[int, Meta(ge=0, le=10)] = 0
    """Offers in an answer, at most."""
    from_last_basket: bool = False
    """Use the customer's last basket as the cart where the request has none."""
    filter: dict[str, Any] = field(default_factory=dict)
    """Filter on products, as in requests; see docs/http.md. Empty: no filter."""
    weights: dict[str, float] = field(default_factory=dict)
    """Factor on each model's learned weight, by model; ``cart``: on the items that go with the
    cart."""
    rules: list[PlacementRule] = field(default_factory=list)
    """What is pinned, boosted, buried or excluded, for whom and when."""
    random_slots: Annotated[int, Meta(ge=0, le=200)] = 0
    """Last places of the list that go to random ones of nearly equal candidates."""
    random_within: Annotated[float, Meta(gt=0, le=1)] = 0.8
    """Share of the best candidate's value from which on others are nearly equal."""


PLACEMENTS: dict[str, PlacementSettings] = {
    "web_home": PlacementSettings(channel="web", offers=1),
    "web_product": PlacementSettings(channel="web", count=8, new_share=0.25),
    "web_cart": PlacementSettings(channel="web", hide_bought_days=0.0, new_share=0.25, offers=1),
    "email_weekly": PlacementSettings(
        channel="email", count=12, hide_bought_days=3.0, offers=1, scarce_below=3.0
    ),
    "email_post_purchase": PlacementSettings(
        channel="email",
        count=6,
        hide_bought_days=14.0,
        from_last_basket=True,
        scarce_below=1.0,
        weights={"cart": 5.0},
    ),
    "email_cart": PlacementSettings(
        channel="email", count=4, left_cart=True, weights={"cart": 5.0}, priority=70
    ),
    "store_screen": PlacementSettings(channel="store_screen", count=6, personal=False),
    "store_kiosk": PlacementSettings(channel="store_screen", count=6),
    "associate_tablet": PlacementSettings(channel="associate", count=8, offers=1, left_cart=True),
}
