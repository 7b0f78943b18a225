"""Filters on products: one JSON or TOML document in, a checked tree out.

``{"field": "department", "op": "in", "value": ["Dairy", "Bakery"]}``, and groups of such:
``{"and": […]}``, ``{"or": […]}``, ``{"not": …}``. ``attributes.NAME`` asks of what else a
catalogue says. Read by ``config`` for placements and by the service for requests;
``ranking.filtering`` asks it of products.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from msgspec import Struct

from recsys.config.errors import nearest_name
from recsys.errors import RecsysError

TEXT: Final = ("item_id", "title", "department", "category", "brand")
#: Quantities at the location of the question.
PIECES: Final = ("on_hand", "sellable")
NUMBER: Final = ("price", *PIECES)
FLAG: Final = ("active", "new")
FIELDS: Final = (*TEXT, *NUMBER, *FLAG)
#: Begins the name of a field that is an attribute of products, as a catalogue names it.
ATTRIBUTE: Final = "attributes."
_KNOWN: Final = (*FIELDS, f"{ATTRIBUTE}NAME")
_EQUAL: Final = ("eq", "ne")
_ORDER: Final = ("lt", "le", "gt", "ge")
_AMONG: Final = ("in", "not_in")
OPERATORS: Final = (*_EQUAL, *_AMONG, *_ORDER, "contains", "exists")
GROUPS: Final = ("and", "or", "not")
#: Bounds that keep a filter cheap to ask.
MAX_DEPTH: Final = 5
MAX_CONDITIONS: Final = 50
MAX_VALUES: Final = 1_000
MAX_TEXT: Final = 200
_MAX_NUMBER: Final = 2**53
#: Attributes named in a fault, at most.
_NAMED: Final = 64


class Condition(Struct, frozen=True):
    """One field of a product compared with one value, or several."""

    field: str
    op: str
    value: Any
    """Text, number or flag; a tuple of them for ``in`` and ``not_in``."""


class Group(Struct, frozen=True):
    """Conditions and groups that must all hold, of which one must, or none may."""

    kind: str
    """``and``, ``or`` or ``not``; ``not`` has one part."""
    parts: "tuple[Filter, ...]"


Filter = Condition | Group


class FilterError(RecsysError):
    """A filter is not one.

    Parameters
    ----------
    faults : list of (str, str)
        JSON pointer into the filter, and what is wrong there.
    """

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        pointer, detail = faults[0]
        super().__init__(f"{pointer.strip('/').replace('/', '.') or 'filter'}: {detail}")
        self.faults = faults


def parse_filter(document: object, attributes: Collection[str] | None = None) -> Filter:
    """Check a filter.

    Parameters
    ----------
    document : object
        As JSON or TOML gives it.
    attributes : collection of str, optional
        The attributes that filters may ask; any name by default.

    Raises
    ------
    FilterError
        When it is no filter; names every part that is wrong.
    """
    faults: list[tuple[str, str]] = []
    count = [0]
    found = _parse(document, "", 1, faults, count)
    if count[0] > MAX_CONDITIONS:
        faults.append(("", f"has more than {MAX_CONDITIONS} conditions."))
    if attributes is not None and not faults:
        faults += _not_among(document, "", attributes)
    if faults or found is None:
        raise FilterError(faults)
    return found


def _not_among(part: Any, at: str, attributes: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a checked document that are not known."""
    for kind in ("and", "or"):
        for ix, inner in enumerate(part.get(kind, ())):
            yield from _not_among(inner, f"{at}/{kind}/{ix}", attributes)
    if "not" in part:
        yield from _not_among(part["not"], f"{at}/not", attributes)
    field = part.get("field", "")
    name = field.removeprefix(ATTRIBUTE)
    if field.startswith(ATTRIBUTE) and name not in attributes:
        known = sorted(attributes)[:_NAMED]
        known_names = f" Known: {', '.join(known)}." if known else " No product has any."
        hint = nearest_name(name, list(attributes))
        yield f"{at}/field", f"is no attribute that filters may ask.{hint}{known_names}"


def conditions(given: Filter) -> Iterator[Condition]:
    """Yield every condition of a filter."""
    if isinstance(given, Condition):
        yield given
    else:
        for part in given.parts:
            yield from conditions(part)


def _parse(
    part: object, at: str, depth: int, faults: list[tuple[str, str]], count: list[int]
) -> Filter | None:
    if count[0] > MAX_CONDITIONS:
        return None
    if not isinstance(part, dict):
        faults.append((at, "is no object with `field`, `op` and `value`, or `and`, `or`, `not`."))
        return None
    kinds = [name for name in GROUPS if name in part]
    if not kinds:
        count[0] += 1
        return _condition(part, at, faults)
    kind = kinds[0]
    if len(part) > 1:
        faults.append((at, f"has more than `{kind}`; put the rest into a group of its own."))
        return None
    if depth >= MAX_DEPTH:
        faults.append((at, f"lies deeper than {MAX_DEPTH} groups."))
        return None
    inner = part[kind]
    if kind == "not":
        parts = [_parse(inner, f"{at}/not", depth + 1, faults, count)]
    elif not isinstance(inner, list) or not inner:
        faults.append((f"{at}/{kind}", "is no list with at least one filter."))
        return None
    elif len(inner) > MAX_CONDITIONS:
        faults.append((f"{at}/{kind}", f"has {len(inner)} parts; at most {MAX_CONDITIONS}."))
        return None
    else:
        parts = [
            _parse(one, f"{at}/{kind}/{ix}", depth + 1, faults, count)
            for ix, one in enumerate(inner)
        ]
    known = tuple(one for one in parts if one is not None)
    return Group(kind, known) if len(known) == len(parts) else None


def _condition(part: dict[Any, Any], at: str, faults: list[tuple[str, str]]) -> Condition | None:
    before = len(faults)
    for name in part:
        if name not in ("field", "op", "value"):
            hint = nearest_name(str(name), ("field", "op", "value", *GROUPS))
            step = str(name)[:MAX_TEXT].replace("~", "~0").replace("/", "~1")
            faults.append((f"{at}/{step}", f"is not known.{hint} Known: field, op, value."))
    field, op = part.get("field"), part.get("op", "eq")
    if not isinstance(field, str) or not (field in FIELDS or _is_attribute(field)):
        hint = nearest_name(str(field), FIELDS) if field is not None else ""
        what = "is missing." if field is None else "is unknown."
        faults.append((f"{at}/field", f"{what}{hint} Known: {', '.join(_KNOWN)}."))
        return None
    allowed = _operators(field)
    if op not in allowed:
        hint = nearest_name(str(op), allowed)
        faults.append((f"{at}/op", f"is none of `{field}`.{hint} Known: {', '.join(allowed)}."))
        return None
    value = part.get("value", True if op == "exists" else None)
    if op in _AMONG:
        if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
            faults.append((f"{at}/value", f"is no list of 1 to {MAX_VALUES} values."))
            return None
        for ix, one in enumerate(value):
            if wrong := _misfit(field, op, one):
                faults.append((f"{at}/value/{ix}", wrong))
        value = tuple(value)
    elif wrong := _misfit(field, op, value):
        faults.append((f"{at}/value", wrong))
    return Condition(field, op, value) if len(faults) == before else None


def _is_attribute(field: str) -> bool:
    name = field.removeprefix(ATTRIBUTE)
    return name != field and 0 < len(name) <= MAX_TEXT


def _operators(field: str) -> tuple[str, ...]:
    if field.startswith(ATTRIBUTE):
        return OPERATORS
    if field in FLAG:
        return _EQUAL
    if field in TEXT:
        return (*_EQUAL, *_AMONG, "contains", "exists")
    return (*_EQUAL, *_AMONG, *_ORDER, "exists")


def _misfit(field: str, op: str, value: object) -> str | None:
    """Say what keeps a value from being compared with a field; None where nothing does."""
    if op == "exists" or field in FLAG:
        return None if isinstance(value, bool) else "is neither true nor false."
    named = field.startswith(ATTRIBUTE)
    as_text = op == "contains" or (isinstance(value, str) and op not in _ORDER)
    if field in TEXT or (named and as_text):
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            return None
        return f"is no text of 1 to {MAX_TEXT} characters."
    if isinstance(value, bool) or not isinstance(value, int | float):
        if named and op not in _ORDER:
            return "is neither text nor a number."
        return "is no number of minor units (cents)." if field == "price" else "is no number."
    if not abs(value) <= _MAX_NUMBER:  # NaN, too
        return "is too large."
    return None
