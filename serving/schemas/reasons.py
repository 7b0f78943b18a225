"""Types of the reasons of items and the headings of lists.

Each code is a type with its parameters, so that the OpenAPI document tells translators which
parameters come with which code. ``recsys.recommender`` makes them in ``reasons`` and ``headings``.
"""

from typing import Annotated

from msgspec import Meta, Struct, field


class Reason(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="code"):
    """Base of reasons: a code, its parameters, and the words."""

    text: Annotated[str, Meta(description="The reason in the answer's `lang`.")]


class _Because(Reason, frozen=True):
    """Base of reasons that point at another product."""

    item_id: Annotated[str, Meta(description="The product that it follows from.")]
    title: Annotated[str | None, Meta(description="Its title; missing where unknown.")] = None
    because_of: Annotated[
        list[str], Meta(description="Ids of the products that it follows from: `item_id`.")
    ] = field(default_factory=list)


class RepeatReason(Reason, frozen=True, tag="repeat"):
    """The customer bought it before, or what stands for it.

    Of ``every_…`` and ``since_…`` one is there at most, in the unit in which it is told.
    """

    purchases: Annotated[int, Meta(description="So many times; twice within half a day is once.")]
    elapsed_days: Annotated[int, Meta(description="Days since the last time.")]
    interval_days: Annotated[
        float | None,
        Meta(
            description="Median of the days from one purchase to the next; there only where they "
            "are alike."
        ),
    ] = None
    every_days: Annotated[
        int | None, Meta(description='The interval as it is told: "every 3 days".')
    ] = None
    every_weeks: Annotated[int | None, Meta(description='"Every 3 weeks".')] = None
    every_months: Annotated[int | None, Meta(description='"Every 2 months".')] = None
    since_days: Annotated[
        int | None,
        Meta(description='Days since the last time, where it is overdue: "it has been 5".'),
    ] = None
    since_weeks: Annotated[int | None, Meta(description="The same in weeks.")] = None
    since_months: Annotated[int | None, Meta(description="The same in months.")] = None


class BoughtTogetherReason(_Because, frozen=True, tag="bought_together"):
    """It lies in one basket with another product 1.5 times as often as by chance, or more often.

    That product is of the cart, the page or the history.
    """


class BoughtNextReason(_Because, frozen=True, tag="bought_next"):
    """It lies in the order after another product 1.5 times as often as by chance, or more often.

    That product is one that the customer bought lately.
    """


class SimilarItemReason(_Because, frozen=True, tag="similar_item"):
    """It is like something that the customer bought."""

    category: Annotated[
        str | None, Meta(description="What both are of, where that says it better than the title.")
    ] = None
    brand: Annotated[str | None, Meta(description="The same; one of the two at most.")] = None


class SimilarTasteReason(Reason, frozen=True, tag="similar_taste"):
    """Customers with a like history buy it."""


class SimilarCustomersReason(Reason, frozen=True, tag="similar_customers"):
    """Customers who bought the like lately buy it."""


class PopularReason(Reason, frozen=True, tag="popular"):
    """Many bought it lately, anywhere."""


class PopularOnChannelReason(Reason, frozen=True, tag="popular_on_channel"):
    """Many bought it lately on the placement's channel."""

    channel: Annotated[str, Meta(description="`pos`: in stores.")]


class PopularAtLocationReason(Reason, frozen=True, tag="popular_at_location"):
    """Many bought it lately at the location of the question."""

    location_id: str
    location: Annotated[str | None, Meta(description="Its name; missing where unknown.")] = None


class TrendingReason(Reason, frozen=True, tag="trending"):
    """It sells better and better."""


class TrendingAtLocationReason(Reason, frozen=True, tag="trending_at_location"):
    """It sells better and better in the store of the question."""

    location_id: str
    location: Annotated[str | None, Meta(description="Its name; missing where unknown.")] = None


class AvailableReason(Reason, frozen=True, tag="available"):
    """Nothing speaks for it but that it can be had."""


AnyReason = (
    RepeatReason
    | BoughtTogetherReason
    | BoughtNextReason
    | SimilarItemReason
    | SimilarTasteReason
    | SimilarCustomersReason
    | PopularReason
    | PopularOnChannelReason
    | PopularAtLocationReason
    | TrendingReason
    | TrendingAtLocationReason
    | AvailableReason
)


class Heading(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="code"):
    """Base of headings: a code, its parameters, and the words."""

    text: Annotated[str, Meta(description="The heading in the answer's `lang`.")]


class GoesWithItemHeading(Heading, frozen=True, tag="goes_with_item"):
    """Every item is often bought with, or after, what is being looked at."""

    item_id: Annotated[
        str | None, Meta(description="That product; missing where there are several.")
    ] = None
    title: str | None = None


class GoesWithCartHeading(Heading, frozen=True, tag="goes_with_cart"):
    """Every item is often bought with, or after, something in the cart."""


class GoesWithLastOrderHeading(Heading, frozen=True, tag="goes_with_last_order"):
    """Every item is often bought with, or after, something of the customer's last order."""


class SimilarItemsHeading(Heading, frozen=True, tag="similar_items"):
    """Every item is like the product of the page; `…/similar` alone says so."""

    item_id: str
    title: str | None = None


class BuyAgainHeading(Heading, frozen=True, tag="buy_again"):
    """The customer bought every item before."""


class NewForYouHeading(Heading, frozen=True, tag="new_for_you"):
    """Of a known customer who never bought any of the items."""


class ForYouHeading(Heading, frozen=True, tag="for_you"):
    """Chosen for a known customer, for several reasons."""


class YouMayLikeHeading(Heading, frozen=True, tag="you_may_like"):
    """Beside a product, a cart, or for a stranger: for several reasons."""


class PopularHeading(Heading, frozen=True, tag="popular"):
    """Every item is popular."""


class PopularOnChannelHeading(Heading, frozen=True, tag="popular_on_channel"):
    """Every item is popular on the placement's channel."""

    channel: str


class PopularAtLocationHeading(Heading, frozen=True, tag="popular_at_location"):
    """Every item is popular at the location of the question."""

    location_id: str
    location: str | None = None


class AvailableHeading(Heading, frozen=True, tag="available"):
    """Nothing speaks for the items but that they can be had."""


AnyHeading = (
    GoesWithItemHeading
    | GoesWithCartHeading
    | GoesWithLastOrderHeading
    | SimilarItemsHeading
    | BuyAgainHeading
    | NewForYouHeading
    | ForYouHeading
    | YouMayLikeHeading
    | PopularHeading
    | PopularOnChannelHeading
    | PopularAtLocationHeading
    | AvailableHeading
)
