"""Type of the answer that tells what was decided for an earlier one.

``api.decisions`` makes it; tests hold its answers to it.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from recsys.decisions import HeldCode
from serving.http import FieldError
from serving.schemas.base import Body
from serving.schemas.recommendations import AppliedRule, DrawnItem


class Showing(Body, frozen=True):
    """When and where a product was shown."""

    channel: str
    at: str


class WithheldItem(Body, frozen=True):
    """A product that was not to be shown to the customer, whether it fitted or not."""

    item_id: str
    code: Literal["not_interested", "capped"]
    text: Annotated[str, Meta(description="Why, in a sentence.")]
    extent: Annotated[
        Literal["item", "category"] | None,
        Meta(description="Of `not_interested`: the product, or everything of its category."),
    ] = None
    refused_at: str | None = None
    cap: Annotated[
        str | None,
        Meta(description="Of `capped`: which cap; null where it was reached meanwhile."),
    ] = None
    shown: Annotated[
        list[Showing], Meta(description="Of `capped`: the showings that the cap counted.")
    ] = field(default_factory=list)


class HeldMessage(Body, frozen=True):
    """Why a message does not go out."""

    code: HeldCode
    text: Annotated[str, Meta(description="Why, in a sentence.")]
    send_after: Annotated[
        str | None, Meta(description="When it may go out; null where it may not.")
    ] = None


class DecidedRule(AppliedRule, frozen=True):
    """A rule of the placement that held, in a sentence too."""

    text: str = ""


class DecisionAnswer(Body, frozen=True):
    """What one answer showed, what it left out, and why."""

    recommendation_id: str
    decided_at: str
    placement: str
    channel: str | None
    model_version: str
    customer_id: str | None
    location_id: str | None
    lang: Annotated[str, Meta(description="Tag of the language of the sentences.")]
    items: Annotated[list[str], Meta(description="What was shown, in this order.")]
    fallback: str | None
    left_out: Annotated[dict[str, int], Meta(description="How many candidates each rule kept out.")]
    withheld: list[WithheldItem]
    more_withheld: Annotated[int, Meta(description="How many more there were.")]
    held: Annotated[
        HeldMessage | None, Meta(description="Of a message that did not go out: why not.")
    ]
    held_out: Annotated[str | None, Meta(description="Of a page that showed nothing: the holdout.")]
    rules: Annotated[
        list[DecidedRule], Meta(description="Rules of the placement that held, and what each did.")
    ]
    random: Annotated[
        list[DrawnItem],
        Meta(description="Which of the items were drawn at random, with the chance of each."),
    ]
    reasons: Annotated[
        list[str],
        Meta(
            description="Why each of the items was shown, in the words and the language of the "
            "answer. Empty for decisions of older versions."
        ),
    ]
    text: Annotated[list[str], Meta(description="What was decided, in sentences.")]
    known_late: Annotated[
        list[str],
        Meta(
            description="Products that were shown, although they had just been bought: the "
            "purchase was reported only afterwards."
        ),
    ]
    warnings: Annotated[list[FieldError], Meta(description="As of `Recommendations`.")] = field(
        default_factory=list
    )
