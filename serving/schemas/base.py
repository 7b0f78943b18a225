"""Types that the bodies of several routes share.

Imported by the other modules of ``schemas``; they define the bodies themselves.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from recsys.config import filters

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

#: Names of attributes that an answer is to contain.
Attributes = Annotated[list[Label], Meta(max_length=100, examples=[["material", "gtin"]])]


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of requests and answers: unknown fields are errors."""
