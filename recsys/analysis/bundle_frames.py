"""Bundles as data frames: what marketers see of each, a row a bundle, a segment or a month.

Suggestions come in; what ``responses.bundles`` says of them comes out as frames. Called by
``bundles``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from recsys.bundles import AFTER, BUNDLE_KINDS
from recsys.recommender.bundles import KnownBundle, Suggestions
from recsys.recommender.bundles import documents as words

if TYPE_CHECKING:
    import pandas as pd

By = Literal["month", "channel", "location"]

_PRICES: Final = ("full_price", "floor_price", "suggested_price")
_COLUMNS: Final = (
    "products",
    "kind",
    "size",
    "support",
    "customers",
    "confidence",
    "plain_lift",
    "lift",
    "lift_low",
    "lift_high",
    "p_value",
    "q_value",
    "stability",
    "complement",
    "undiscounted_lift",
    "segments",
    "full_price_minor",
    "floor_price_minor",
    "suggested_price_minor",
    "discount_share",
    "break_even_sales",
    "low_minor",
    "middle_minor",
    "high_minor",
    "pays",
    "sells_anyway",
)
#: Of these, numbers that may be unknown.
_MAYBE: Final = (
    "lift",
    "lift_low",
    "lift_high",
    "stability",
    "complement",
    "undiscounted_lift",
    *_COLUMNS[_COLUMNS.index("full_price_minor") : _COLUMNS.index("pays")],
)
_OF_SEGMENTS: Final = (
    "bundle_id",
    "products",
    "by",
    "segment",
    "support",
    "lift",
    "lift_low",
    "lift_high",
    "q_value",
    "whole_lift",
)


def title(suggestions: Suggestions, item_ix: int) -> str:
    """Return a product's title, or its id where it has none."""
    return suggestions.catalogue.titles[item_ix] or suggestions.engine.index.item_ids[item_ix]


def titles(suggestions: Suggestions, bundle: KnownBundle) -> list[str]:
    """Name the products of a bundle, each by a name of its own."""
    names = [title(suggestions, ix) for ix in bundle.item_ix]
    return [
        name if names.count(name) == 1 else f"{name} ({item_id})"
        for name, item_id in zip(names, bundle.item_ids, strict=True)
    ]


def table(suggestions: Suggestions, bundles: Sequence[KnownBundle]) -> "pd.DataFrame":
    """One row a bundle; see ``BundleStudy.table``."""
    import pandas as pd

    ids = [bundle.bundle_id for bundle in bundles]
    rows = [_row(suggestions, at, bundle) for at, bundle in enumerate(bundles)]
    found = pd.DataFrame(rows, index=pd.Index(ids, name="bundle_id"), columns=_COLUMNS)
    return found.astype(dict.fromkeys(_MAYBE, float))  # None where it is unknown


def segments(suggestions: Suggestions, bundles: Sequence[KnownBundle]) -> "pd.DataFrame":
    """One row a bundle and segment; see ``BundleStudy.segments``."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for bundle in bundles:
        document = words.row(suggestions, bundle.bundle_id)
        for held in document["segments"]:
            by, _, segment = held["segment"].partition(":")
            rows.append(
                {
                    **held,
                    "bundle_id": bundle.bundle_id,
                    "products": _products(suggestions, bundle),
                    "by": by,
                    "segment": segment,
                    "whole_lift": document["lift"],
                }
            )
    return pd.DataFrame(rows, columns=_OF_SEGMENTS).set_index("bundle_id")


def evidence(suggestions: Suggestions, bundle_id: str, by: By) -> "pd.DataFrame":
    """One row a month, channel or location; see ``BundleStudy.evidence``."""
    import pandas as pd

    drawn = words.full(suggestions, bundle_id)["evidence"]
    if by == "location":
        places = drawn["locations"]
        names = [place["name"] or place["location_id"] for place in places]
        counts = {"together": [place["together"] for place in places]}
        return pd.DataFrame(counts, index=pd.Index(names, name=by))
    index: pd.Index[Any]
    if by == "channel":
        channels = drawn["channels"]
        index = pd.Index([part["channel"] for part in channels], name=by)
        counts = {name: [part[name] for part in channels] for name in ("baskets", "together")}
        items = np.array([part["items"] for part in channels]).T
    else:
        index = pd.DatetimeIndex(drawn["months"], name=by)
        counts = {"baskets": drawn["month_baskets"], "together": drawn["together"]}
        items = np.array(drawn["items_by_month"])
    names = titles(suggestions, suggestions.get(bundle_id))
    return pd.DataFrame({**counts, **dict(zip(names, items, strict=True))}, index=index)


def _row(suggestions: Suggestions, at: int, bundle: KnownBundle) -> dict[str, Any]:
    """What a list shows, of the bundle found at a position."""
    document, found = words.row(suggestions, bundle.bundle_id), suggestions.mined
    shares = found.with_item[found.indptr[at] : found.indptr[at + 1]] / found.cases[at]
    completes, priced = document["completes"], document["pricing"] or {}
    amounts = {name: (priced.get(name) or {}).get("amount_minor") for name in _PRICES}
    amounts |= priced.get("expected_margin", {})
    return {
        **priced,
        **document,
        **{f"{name}_minor": amount for name, amount in amounts.items()},
        "products": _products(suggestions, bundle),
        "size": len(bundle.item_ids),
        "confidence": completes[-1] if bundle.kind == BUNDLE_KINDS[AFTER] else max(completes),
        "plain_lift": float(found.support[at] / found.cases[at] / np.prod(shares)),
        "segments": ", ".join(held["segment"] for held in document["segments"]),
    }


def _products(suggestions: Suggestions, bundle: KnownBundle) -> str:
    joint = " → " if bundle.kind == BUNDLE_KINDS[AFTER] else " + "
    return joint.join(title(suggestions, ix) for ix in bundle.item_ix)
