"""Types that the bodies of several routes share.

Imported by the other modules of ``schemas``; they define the bodies themselves.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from recsys.config import filters
from recsys.languages import TAGS

Count = Annotated[int, Meta(ge=1, le=200)]
Label = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
#: ``requests.read_filter`` checks it part by part; this describes its shape.
FilterDocument = Annotated[
    dict[str, Any],
    Meta(
        description="`{field, op, value}`, or a group of such: `{and: […]}`, `{or: […]}`, "
        f"`{{not: …}}`. Fields: {', '.join(filters.FIELDS)}, and `attributes.NAME` for what else "
        f"the catalogue says. Operators: {', '.join(filters.OPERATORS)}. In a query, as a JSON "
        "document.",
        examples=[{"field": "department", "op": "in", "value": ["Dairy", "Bakery"]}],
    ),
]

#: Which language an answer is to be in; ``requests.language`` finds the one that fits.
Lang = Annotated[
    str,
    Meta(
        max_length=35,
        pattern=r"^(?:[A-Za-z]{2,3}|[A-Za-z]{5,8})(?:-[A-Za-z0-9]{1,8})*$",
        description="BCP 47 tag of the language of what the answer says in words, such as `de` or "
        "`de-AT`; that of the placement or of the workspace by default. Where it is not offered, "
        f"the answer has a warning. Offered: {', '.join(TAGS)}.",
        examples=["de-AT"],
    ),
]
#: Names of attributes that an answer is to contain.
Attributes = Annotated[list[Label], Meta(max_length=100, examples=[["material", "gtin"]])]


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of requests and answers: unknown fields are errors."""


class LanguageQuery(Body, frozen=True):
    """In which language an answer says what it says in words."""

    lang: Lang | None = None
