"""Type of the answer about an erased customer.

``api.erasures`` makes it; tests hold its answers to it.
"""

from typing import Annotated

from msgspec import Meta

from serving.schemas.base import Body


class ErasedAnswer(Body, frozen=True):
    """What was removed; zeros where it had been removed before."""

    customer_id: str
    erased_at: str
    identifiers: Annotated[int, Meta(description="Each is marked, so that it does not come back.")]
    histories: Annotated[int, Meta(description="Rows of purchases and views, also of visits.")]
    contacts: Annotated[int, Meta(description="What was shown, refused and consented to.")]
    visits: int
    exposures: Annotated[int, Meta(description="Answers, with what was decided.")]
    events: Annotated[int, Meta(description="They stay without the person.")]
    offers: Annotated[int, Meta(description="They stay without an owner, for their money.")]
