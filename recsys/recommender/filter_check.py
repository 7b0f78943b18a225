"""Says which values of a filter no product has, so that a slip of the pen does not go unseen.

In: an engine and a filter of a placement, a rule or a request. Out: sentences. Called by
``placement_check``, ``rule_check`` and the service.
"""

from collections.abc import Iterator
from typing import Any, Final

from recsys.config import Condition, Filter, filters, nearest_name
from recsys.recommender.engine import Engine

#: Operators whose values should be some product's.
_NAMING: Final = ("eq", "ne", "in", "not_in")


def unknown_values(engine: Engine, given: Filter) -> Iterator[str]:
    """Say which values of a filter no product has, with the nearest that some have.

    Parameters
    ----------
    engine : Engine
        Holds the products.
    given : Filter
        Of a placement or a question.

    Yields
    ------
    str
        A sentence for each such value, and for each attribute that filters cannot ask.
    """
    for one in filters.conditions(given):
        yield from _unknown(engine, one)


def _unknown(engine: Engine, one: Condition) -> Iterator[str]:
    """Say which values of a condition no product has, and which attribute."""
    name = one.field.removeprefix(filters.ATTRIBUTE)
    if name != one.field:
        attribute = engine.catalogue.attributes.columns.get(name)
        if attribute is None:
            hint = nearest_name(name, engine.catalogue.attributes.columns)
            yield f"there is no attribute `{name}` that filters may ask.{hint}"
        elif one.op in _NAMING:
            for value in _values(one):
                if isinstance(value, str) and not attribute.known(value):
                    yield f"no product has the {one.field} `{value}`."
        return
    if one.op not in _NAMING:
        return
    values = _values(one)
    if one.field == "item_id":
        known = engine.index.ix_of(values)
        for value, item_ix in zip(values, known.tolist(), strict=True):
            if item_ix < 0:
                yield f"there is no product `{value}`."
        return
    labels = engine.catalogue.labels.get(one.field)
    if labels is None:
        return
    for value in values:
        if value not in labels.position:
            yield f"no product has the {one.field} `{value}`.{nearest_name(value, labels.names)}"


def _values(one: Condition) -> tuple[Any, ...]:
    values: tuple[Any, ...] = one.value if one.op in ("in", "not_in") else (one.value,)
    return values
