"""Turns requests into checked structs, or into a problem that names every faulty field.

A body is decoded and checked in one pass. If that fails, it is checked again, field by field, to
find every fault.
"""

import difflib
import re
import types
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from flask import Request
from werkzeug.datastructures import MultiDict

from recsys.config import Filter, FilterError, filters, nearest_name
from recsys.messages import choices_of, expected_value, received_value, unreadable
from serving.http import PROBLEM_KINDS, FieldError, Refusal

T = TypeVar("T")

_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}
#: Most faults that a problem lists.
_MAX_ERRORS = 20
#: Most letters of an unknown name that are compared with the known names.
_MAX_NAME_LENGTH: Final = 64
#: A number that may not fit 64 bits, and the first that does not.
_BEYOND: Final = re.compile(r"[+-]?\d{19,}(\.\d*)?")
_END: Final = 2.0**63


def read_body(request: Request, kind: type[T]) -> T:
    """Decode and check the JSON body of a request.

    Parameters
    ----------
    request : Request
    kind : type
        A msgspec struct.

    Raises
    ------
    Refusal
        When the body is not JSON, or not a ``kind``.
    """
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        sent = f"`{request.mimetype}`" if request.mimetype else "nothing"
        raise Refusal("not-json", f"Send the header Content-Type: application/json, not {sent}.")
    body = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        # A body sent in chunks, of which no more than the limit has been read.
        raise Refusal("body-too-large", PROBLEM_KINDS["body-too-large"].advice)
    return decode(body, kind)


def decode(body: bytes, kind: type[T]) -> T:
    """Decode and check a JSON document.

    Raises
    ------
    Refusal
        When it is not JSON, or not a ``kind``.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        checked: T = decoder.decode(body)
    except msgspec.ValidationError as error:
        wrong = _explained(body, kind, unreadable(error))
        raise Refusal("invalid-request", "Some fields are not valid.", wrong) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error, body) from None
    return checked


def _malformed(error: Exception, body: bytes) -> Refusal:
    return Refusal("malformed-body", f"The body is not JSON: {unreadable(error, body)}.")


def read_query(
    query: "MultiDict[str, str]", kind: type[T], *, lists: Mapping[str, str | None] = {}
) -> T:
    """Check a query string as if it were the equivalent body.

    Parameters
    ----------
    query : MultiDict
        ``a_b=…`` is ``{"a": {"b": …}}`` where the struct has a field ``a`` but none ``a_b``. A
        ``filter`` is a JSON document.
    kind : type
        A msgspec struct.
    lists : mapping of str to str or None
        Parameters that may be repeated; each value is an element, or the named field of one.

    Raises
    ------
    Refusal
        When a parameter is unknown, repeated, or wrong.
    """
    fields = set(kind.__struct_fields__)  # type: ignore[attr-defined]
    given: dict[str, Any] = {}
    errors = []
    for name, values in query.lists():
        head, _, tail = name.partition("_")
        if name in lists:
            inner = lists[name]
            given[name] = [value if inner is None else {inner: value} for value in values]
            continue
        if len(values) > 1:
            errors.append(FieldError(_pointer(name), "is given more than once."))
        if name == "filter" and name in fields:
            try:
                given[name] = msgspec.json.decode(values[0])
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                errors.append(FieldError("/filter", "is no JSON document."))
        elif name not in fields and tail and head in fields:
            given.setdefault(head, {})[tail] = values[0]
        else:
            given[name] = values[0]
    beyond = [
        FieldError(_pointer(name), "is beyond every number.")
        for name in _numbers_of(kind)  # type: ignore[arg-type]
        if isinstance(text := given.get(name), str)
        and _BEYOND.fullmatch(text)
        and abs(float(text)) >= _END
    ]
    if beyond:
        raise Refusal("bad-request", "A number cannot be read.", beyond)
    if not errors:
        try:
            return msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError as error:
            errors = [FieldError("", f"{unreadable(error)}.")]
    found = list(_limited(check(given, kind, "", strict=False)))
    if found and errors[0].pointer == "":
        errors = []  # ``found`` says it better, field by field
    raise Refusal("invalid-request", "Some parameters are not valid.", errors + found)


def read_filter(
    document: dict[str, Any] | None, attributes: Collection[str] | None = None
) -> Filter | None:
    """Check the filter of a request.

    Parameters
    ----------
    document : dict or None
    attributes : collection of str, optional
        The attributes that the filter may name.

    Raises
    ------
    Refusal
        When it is not valid; points at every faulty part.
    """
    if document is None:
        return None
    try:
        return filters.parse_filter(document, attributes)
    except FilterError as error:
        errors = [FieldError(f"/filter{at}", detail) for at, detail in error.faults[:_MAX_ERRORS]]
        raise Refusal("invalid-request", "The filter is not valid.", errors) from None


def _explained(body: bytes, kind: type[Any], message: str) -> list[FieldError]:
    """Return the faults that keep a JSON document from being a ``kind``.

    Raises
    ------
    Refusal
        When it is not JSON, further on than the first faulty field.
    """
    try:
        document = msgspec.json.decode(body)
        return list(_limited(check(document, kind, ""))) or [FieldError("", f"{message}.")]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error, body) from None


def _limited(errors: Iterator[FieldError]) -> Iterator[FieldError]:
    for _, error in zip(range(_MAX_ERRORS), errors, strict=False):
        yield error


def check(value: Any, kind: Any, pointer: str, *, strict: bool = True) -> Iterator[FieldError]:
    """Yield the faults that keep a decoded value from being a ``kind``, deepest fields first."""
    inner = _unwrap(kind, value)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and isinstance(value, dict):
        yield from _check_struct(value, inner, pointer, strict=strict)
        return
    if get_origin(inner) is list and isinstance(value, list):
        (element,) = get_args(inner)
        faulty = False
        # Check the length first: the entries of a list that is too long do not matter. Raw
        # entries are checked one by one later.
        looked_at = value if element is not msgspec.Raw and _fits(value, kind) else ()
        for ix, part in enumerate(looked_at):
            if _is(part, element, strict=strict):
                continue
            for error in check(part, element, f"{pointer}/{ix}", strict=strict):
                faulty = True
                yield error
        if faulty:
            return
        if element is msgspec.Raw:
            limits = getattr(kind, "__metadata__", ())
            kind = Annotated[(list[Any], *limits)] if limits else list[Any]
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        yield FieldError(pointer, _worded(str(error), kind, value))


def _fits(value: list[Any], kind: Any) -> bool:
    """Whether a list is no longer than its kind, or one of its kinds, allows."""
    bare = _bare(kind)
    if get_origin(bare) in (Union, types.UnionType):
        lists = (one for one in get_args(bare) if get_origin(_bare(one)) is list)
        return any(_fits(value, member) for member in lists)
    limits = getattr(kind, "__metadata__", ())
    return all(len(value) <= limit.max_length for limit in limits if limit.max_length is not None)


def _is(value: Any, kind: Any, *, strict: bool) -> bool:
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        return False
    return True


def _check_struct(
    value: dict[str, Any], kind: type[msgspec.Struct], pointer: str, *, strict: bool
) -> Iterator[FieldError]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(str(name)[:_MAX_NAME_LENGTH], known, 1, 0.5)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."
            yield FieldError(f"{pointer}{_pointer(name)}", f"is not a known field. {hint}")
    for name, field in known.items():
        if name in value:
            yield from check(value[name], field.type, f"{pointer}/{name}", strict=strict)
        elif field.required:
            yield FieldError(f"{pointer}/{name}", "is missing.")


@cache
def _numbers_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a struct's numeric fields; cached, as msgspec reads them slowly."""
    fields = msgspec.structs.fields(kind)
    return tuple(field.encode_name for field in fields if _is_number(field.type))


def _is_number(kind: Any) -> bool:
    bare = _bare(kind)
    if get_origin(bare) in (Union, types.UnionType):
        return any(_is_number(member) for member in get_args(bare))
    return bare in (int, float)


def _bare(kind: Any) -> Any:
    """Drop annotations."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _unwrap(kind: Any, value: Any) -> Any:
    """Drop annotations; of a union, choose the member that ``value`` is meant for."""
    kind = _bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        for member in get_args(kind):
            inner = _unwrap(member, value)
            structured = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
            if (structured and isinstance(value, dict)) or (
                get_origin(inner) is list and isinstance(value, list)
            ):
                return inner
    return kind


def _worded(message: str, kind: Any, value: Any) -> str:
    """Return msgspec's message in the words of JSON, with the values that are allowed."""
    if choices := choices_of(kind):
        hint = nearest_name(value, choices) if isinstance(value, str) else ""
        return f"is not {expected_value(message, kind)}.{hint}"
    instead = received_value(message)
    return f"must be {expected_value(message, kind)}" + (f", not {instead}." if instead else ".")


def _pointer(name: object) -> str:
    """Escape one step of a JSON pointer."""
    return "/" + str(name)[:200].replace("~", "~0").replace("/", "~1")
