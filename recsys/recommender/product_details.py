"""Says what anybody may know of products: what they are, what they cost, where they can be had.

Products, a location and a time come in; documents as ``GET /v1/items`` gives them come out. No
customer is part of the question. Called by the service, and by ``aisle_pages``.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
import numpy as np

from recsys.config import Filter, PlacementSettings
from recsys.datasets import Histories, IxArray, Lists
from recsys.ranking import RULES
from recsys.recommender.engine import Engine
from recsys.recommender.page_limits import page_limits
from recsys.values import AGE_ATTRIBUTES

Json = dict[str, Any]

_LABELS: Final = ("department", "category", "brand")


class SearchQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which products somebody looks for."""

    text: str
    """Words, or the id or the GTIN of a product."""
    as_of_ts: int
    """UTC epoch seconds."""
    count: int = 10
    location_id: str | None = None
    in_stock: bool = False
    """Whether only products that can be sold: at the location, or at any without one. Those whose
    stock is unknown can be."""
    filter: Filter | None = None
    attributes: tuple[str, ...] = ()
    """What else to say of each product, by name; ``*`` for everything."""
    age_restricted: bool = False
    """Whether goods with a minimum age may be found; a placement decides it itself."""
    settings: PlacementSettings | None = None
    """Of the placement that the search belongs to: its filter and what its rules exclude hold."""
    among: tuple[str, ...] = ()
    """Ids of the locations that may be told of; empty: all."""


def found_products(engine: Engine, question: SearchQuestion) -> Json:
    """Find products that may be shown to everybody, by words or by a number.

    Parameters
    ----------
    engine : Engine
    question : SearchQuestion

    Returns
    -------
    dict
        The answer in the shape of ``GET /v1/items``; its order is that of ``ProductSearch.find``.
    """
    found = engine.search.find(question.text)
    settings = question.settings
    limits, _ = page_limits(
        engine.catalogue,
        as_of_ts=question.as_of_ts,
        exclude=np.empty(0, np.int32),
        location_id=question.location_id,
        given=question.filter,
        settings=settings,
        in_stock=question.in_stock,
        age_restricted=question.age_restricted if settings is None else settings.age_restricted,
    )
    nobody = Histories.nobody(1, len(engine.index))
    code = engine.ranker.rules(nobody, limits).forbid(Lists.of_rows([found]))
    if question.in_stock and not engine.catalogue.location(question.location_id):
        left = engine.ranker.availability.sellable_anywhere(question.as_of_ts)[found]
        code[(code == 0) & (left <= 0)] = 1 + RULES.index("out_of_stock")
    counts = np.bincount(code, minlength=len(RULES) + 1)[1:].tolist()
    left_out = {rule: n for rule, n in zip(RULES, counts, strict=True) if n}
    left_out.pop("inactive", None)  # what is no longer sold is not found
    shown = found[code == 0]
    listed = _documents(engine, shown[: question.count], question)
    return {
        "model_version": engine.version,
        "total": len(shown),
        "items": [{"rank": rank, **item} for rank, item in enumerate(listed, start=1)],
        "left_out": left_out,
    }


def product_details(
    engine: Engine,
    item_ix: int,
    as_of_ts: int,
    *,
    location_id: str | None = None,
    attributes: tuple[str, ...] = (),
    n_stores: int = 3,
    among: tuple[str, ...] = (),
) -> Json:
    """Say what anybody may know of one product.

    Parameters
    ----------
    engine : Engine
    item_ix : int
        Position in its index.
    as_of_ts : int
        Time of the question, UTC epoch seconds.
    location_id : str, optional
        Where somebody is.
    attributes : tuple of str
        What else to say of it, by name; ``*`` for everything.
    n_stores : int
        How many stores that can sell it are named.
    among : tuple of str
        Ids of the locations that may be told of; empty: all.

    Returns
    -------
    dict
        The answer in the shape of ``GET /v1/items/{item_id}``.
    """
    question = SearchQuestion(
        text="", as_of_ts=as_of_ts, location_id=location_id, attributes=attributes, among=among
    )
    (item,) = _documents(engine, np.array([item_ix], np.int32), question)
    stores, total = engine.item_availability.stores(location_id, item_ix, as_of_ts, n_stores, among)
    return {
        "model_version": engine.version,
        **item,
        "active": bool(engine.ranker.availability.active[item_ix]),
        "stores": stores,
        "n_stores": total,
    }


def minimum_age(engine: Engine, item_ix: int) -> str | None:
    """Return the minimum age of a product that has one; empty where it is not said in years.

    Parameters
    ----------
    engine : Engine
    item_ix : int
        Position in its index.
    """
    if not engine.ranker.age_restricted[item_ix]:
        return None
    said = engine.catalogue.attributes.of(item_ix, AGE_ATTRIBUTES)
    digits = "".join(sign for sign in said.get(AGE_ATTRIBUTES[0], "") if sign.isdecimal())
    return digits if len(digits) == 2 else ""


def _documents(engine: Engine, items: IxArray, question: SearchQuestion) -> list[Json]:
    availability = engine.item_availability.of(question.location_id, items, question.as_of_ts)
    return [
        {
            **_document(engine, item_ix, question.attributes),
            "availability": _told(known, question.among),
        }
        for item_ix, known in zip(items.tolist(), availability, strict=True)
    ]


def _document(engine: Engine, item_ix: int, attributes: tuple[str, ...]) -> Json:
    catalogue, age = engine.catalogue, minimum_age(engine, item_ix)
    item: Json = catalogue.item(item_ix)
    for name in _LABELS:
        column = catalogue.labels[name]
        code = int(column.code[item_ix])
        item[name] = column.names[code] if code >= 0 else None
    item["age_restricted"] = age is not None
    if age:
        item["minimum_age"] = int(age)
    if attributes:
        item["attributes"] = catalogue.attributes.of(item_ix, attributes)
    return item


def _told(known: Json | None, among: Collection[str]) -> Json | None:
    """Leave out the nearest store where it is none of those that may be told of."""
    if known is None or not among or known.get("nearest", {}).get("location_id") in (None, *among):
        return known
    return {name: value for name, value in known.items() if name != "nearest"}
