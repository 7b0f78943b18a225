"""Settings of placements, ``[placements.NAME]``: what a named slot on a channel shows.

Part of ``config.settings``; docs/configuration.md explains them, and lists the built-in ones.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from recsys.config.settings import Settings, Share

Objective = Literal["purchase", "margin", "new"]


class PlacementSettings(Settings, frozen=True):
    """A named slot on a channel."""

    channel: str
    """Channel of the slot."""
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
    "associate_tablet": PlacementSettings(channel="associate", count=8, offers=1, left_cart=True),
}
