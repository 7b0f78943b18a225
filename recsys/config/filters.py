"""Filters on products: one JSON or TOML document in, a checked tree out.

``{"field": "department", "op": "in", "value": ["Dairy", "Bakery"]}``, and groups of such:
``{"and": […]}``, ``{"or": […]}``, ``{"not": …}``. ``attributes.NAME`` asks of what else a
catalogue says. Read by ``config`` for placements and by the service for requests;
``ranking.filtering`` asks it of products.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from msgspec import Struct

from recsys.config.errors import nearest_name
from recsys.errors import RecsysError

TEXT: Final = ("item_id", "title", "department", "category", "brand")
#: Quantities at the location of the question.
PIECES: Final = ("on_hand", "sellable")
NUMBER: Final = ("price", *PIECES)
FLAG: Final = ("active", "new")
FIELDS: Final = (*TEXT, *NUMBER, *FLAG)
#: Only settings may ask these: answers to requests would tell anybody what a product earns.
INTERNAL: Final = ("margin_share", "stock_cover_days", "age_days")
#: These depend on where and by whom they are asked.
_LOCAL: Final = (*PIECES, "stock_cover_days", "new")
#: Begins the name of a field that is an attribute of products, as a catalogue names it.
ATTRIBUTE: Final = "attributes."
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


class Language(NamedTuple):
    """What conditions may ask of: the names of fields, by what they hold."""

    text: tuple[str, ...]
    number: tuple[str, ...]
    flag: tuple[str, ...]
    attributes: bool = False
    """Whether ``attributes.NAME`` is a field."""
    dated: tuple[str, ...] = ()
    """Fields of which ``within_days`` may be said."""

    @property
    def fields(self) -> tuple[str, ...]:
        """All names."""
        return (*self.text, *self.number, *self.flag)

    @property
    def known(self) -> str:
        """All names, for messages."""
        return ", ".join((*self.fields, *([f"{ATTRIBUTE}NAME"] if self.attributes else ())))


#: What requests ask of products.
PRODUCTS: Final = Language(TEXT, NUMBER, FLAG, attributes=True)
#: What settings ask of products.
ALL_OF_PRODUCTS: Final = Language(TEXT, (*NUMBER, *INTERNAL), FLAG, attributes=True)
#: What settings ask of customers, see ``PlacementRule.audience``.
_BOUGHT: Final = (
    "bought_item",
    "bought_department",
    "bought_category",
    "bought_brand",
    "bought_channel",
)
CUSTOMERS: Final = Language(_BOUGHT, ("orders", "days_since_order"), ("known",), dated=_BOUGHT)


class Condition(Struct, frozen=True):
    """One field of a product compared with one value, or several."""

    field: str
    op: str
    value: Any
    """Text, number or flag; a tuple of them for ``in`` and ``not_in``."""
    within_days: float | None = None
    """Only what happened so many days ago at most; whenever by default."""


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


def parse_filter(
    document: object,
    attributes: Collection[str] | None = None,
    language: Language = PRODUCTS,
) -> Filter:
    """Check a filter.

    Parameters
    ----------
    document : object
        As JSON or TOML gives it.
    attributes : collection of str, optional
        The attributes that filters may ask; any name by default.
    language : Language
        The fields that they may ask; those that requests may by default.

    Raises
    ------
    FilterError
        When it is no filter; names every part that is wrong.
    """
    faults: list[tuple[str, str]] = []
    count = [0]
    found = _parse(document, "", 1, faults, count, language)
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


def known_beforehand(given: Filter) -> Filter | None:
    """Return what a filter asks whoever asks, and wherever.

    Parameters
    ----------
    given : Filter

    Returns
    -------
    Filter or None
        Lets through whatever ``given`` lets through somewhere and for somebody; None: everything.
    """
    if isinstance(given, Condition):
        return None if given.field in _LOCAL else given
    parts = tuple(known_beforehand(part) for part in given.parts)
    known = tuple(part for part in parts if part is not None)
    if given.kind == "and":
        return Group("and", known) if known else None
    return given if known == given.parts else None


def _parse(
    part: object,
    at: str,
    depth: int,
    faults: list[tuple[str, str]],
    count: list[int],
    language: Language,
) -> Filter | None:
    if count[0] > MAX_CONDITIONS:
        return None
    if not isinstance(part, dict):
        faults.append((at, "is no object with `field`, `op` and `value`, or `and`, `or`, `not`."))
        return None
    kinds = [name for name in GROUPS if name in part]
    if not kinds:
        count[0] += 1
        return _condition(part, at, faults, language)
    kind = kinds[0]
    if len(part) > 1:
        faults.append((at, f"has more than `{kind}`; put the rest into a group of its own."))
        return None
    if depth >= MAX_DEPTH:
        faults.append((at, f"lies deeper than {MAX_DEPTH} groups."))
        return None
    inner = part[kind]
    if kind == "not":
        parts = [_parse(inner, f"{at}/not", depth + 1, faults, count, language)]
    elif not isinstance(inner, list) or not inner:
        faults.append((f"{at}/{kind}", "is no list with at least one filter."))
        return None
    elif len(inner) > MAX_CONDITIONS:
        faults.append((f"{at}/{kind}", f"has {len(inner)} parts; at most {MAX_CONDITIONS}."))
        return None
    else:
        parts = [
            _parse(one, f"{at}/{kind}/{ix}", depth + 1, faults, count, language)
            for ix, one in enumerate(inner)
        ]
    known = tuple(one for one in parts if one is not None)
    return Group(kind, known) if len(known) == len(parts) else None


def _condition(
    part: dict[Any, Any], at: str, faults: list[tuple[str, str]], language: Language
) -> Condition | None:
    before = len(faults)
    field, op = part.get("field"), part.get("op", "eq")
    keys = ("field", "op", "value", *(("within_days",) if field in language.dated else ()))
    for name in part:
        if name not in keys:
            hint = nearest_name(str(name), (*keys, *GROUPS))
            step = str(name)[:MAX_TEXT].replace("~", "~0").replace("/", "~1")
            faults.append((f"{at}/{step}", f"is not known.{hint} Known: {', '.join(keys)}."))
    named = isinstance(field, str) and language.attributes and _is_attribute(field)
    if not isinstance(field, str) or not (field in language.fields or named):
        faults.append((f"{at}/field", _unknown_field(field, language)))
        return None
    allowed = _operators(field, language)
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
            if wrong := _misfit(field, op, one, language):
                faults.append((f"{at}/value/{ix}", wrong))
        value = tuple(value)
    elif wrong := _misfit(field, op, value, language):
        faults.append((f"{at}/value", wrong))
    within_days = part.get("within_days")
    if within_days is not None and not _is_positive(within_days):
        faults.append((f"{at}/within_days", "is no number of days above 0."))
    return Condition(field, op, value, within_days) if len(faults) == before else None


def _unknown_field(field: object, language: Language) -> str:
    """Say that a field is missing, cannot be asked here, or is unknown."""
    if field is None:
        return f"is missing. Known: {language.known}."
    if field in INTERNAL:
        return f"is asked by settings of placements only. Known: {language.known}."
    return f"is unknown.{nearest_name(str(field), language.fields)} Known: {language.known}."


def _is_positive(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value <= _MAX_NUMBER  # type: ignore[operator]


def _is_attribute(field: str) -> bool:
    name = field.removeprefix(ATTRIBUTE)
    return name != field and 0 < len(name) <= MAX_TEXT


def _operators(field: str, language: Language) -> tuple[str, ...]:
    if field.startswith(ATTRIBUTE):
        return OPERATORS
    if field in language.flag:
        return _EQUAL
    if field in language.text:
        return (*_EQUAL, *_AMONG, "contains", "exists")
    return (*_EQUAL, *_AMONG, *_ORDER, "exists")


def _misfit(field: str, op: str, value: object, language: Language) -> str | None:
    """Say what keeps a value from being compared with a field; None where nothing does."""
    if op == "exists" or field in language.flag:
        return None if isinstance(value, bool) else "is neither true nor false."
    named = field.startswith(ATTRIBUTE)
    as_text = op == "contains" or (isinstance(value, str) and op not in _ORDER)
    if field in language.text or (named and as_text):
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
