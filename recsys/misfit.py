"""Says which setting does not fit its type, and what would have fitted.

A part of the file and the struct it should have become come in; out comes the dotted path of the
first setting that is wrong and one sentence about it, with the nearest known name for an unknown
one. Called by ``recsys.config``.
"""

import difflib
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from recsys.settings import REPLACED, Settings

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table of settings",
    "null": "nothing",
}


def explain(value: object, kind: Any, where: str) -> tuple[str, str] | None:
    """Find a setting that does not fit its type.

    Parameters
    ----------
    value : object
        A part of the file.
    kind : type
        What that part should be.
    where : str
        Dotted path of the part.

    Returns
    -------
    where, message : tuple of str, or None
        Path of the setting and what is wrong with it; None when the part fits.
    """
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message = str(error)
    else:
        return None
    kind = _beneath(kind, value)
    for name, inner, part in _parts(value, kind):
        if inner is None and (instead := REPLACED.get(kind, {}).get(name)):
            return f"{where}.{name}".lstrip("."), f"unknown setting `{name}`: {instead}."
        if inner is None:
            known = [name for name in kind.__struct_fields__ if name != "folder"]
            return f"{where}.{name}".lstrip("."), unknown(name, known, "setting ")
        if found := explain(part, inner, f"{where}.{name}".lstrip(".")):
            return found
    if missing := re.search(r"missing required field `(.+?)`", message):
        choices = next(f.type for f in msgspec.structs.fields(kind) if f.name == missing[1])
        one_of = f": one of {', '.join(get_args(choices))}" if get_args(choices) else ""
        return where, f"`{missing[1]}` is missing{one_of}."
    if get_origin(kind) is Literal:
        return where, unknown(value, get_args(kind))
    return where, f"{_expected(kind, message)}, not {value!r}."


def _beneath(kind: Any, value: object) -> Any:
    """Choose the member of a union that the value looks like."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    members = [member for member in get_args(kind) if member is not type(None)]
    wanted = [
        m
        for m in members
        if isinstance(value, dict) == (isinstance(m, type) and issubclass(m, Settings))
    ]
    return (wanted or members)[0]


def _parts(value: object, kind: Any) -> list[tuple[str, Any, object]]:
    """List name, type and value of what a section holds; unknown names have the type None."""
    if isinstance(value, dict):
        if isinstance(kind, type) and issubclass(kind, Settings):
            types = {f.name: f.type for f in msgspec.structs.fields(kind)}
            return [(name, types.get(name), part) for name, part in value.items()]
        if get_origin(kind) is dict:
            return [(name, get_args(kind)[1], part) for name, part in value.items()]
    if isinstance(value, list) and get_origin(kind) is list:
        return [(str(ix), get_args(kind)[0], part) for ix, part in enumerate(value)]
    return []


def _expected(kind: Any, message: str) -> str:
    if get_origin(kind) is Annotated:
        for meta in kind.__metadata__:
            if isinstance(meta, Meta) and meta.description:
                return f"expected {meta.description}"
    plain = re.sub(r",? (got|- at) .*$", "", message)
    kinds = re.compile(r"`(\w+(?: \| \w+)*)`")
    plain = kinds.sub(lambda found: _words(found[1]), plain)
    for sign, words in (("<=", "at most"), (">=", "at least"), ("<", "below"), (">", "above")):
        plain = plain.replace(f" {sign} ", f" {words} ")
    return plain[:1].lower() + plain[1:]


def _words(kinds: str) -> str:
    names = [_WORDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null"]
    return " or ".join(names)


def unknown(value: object, known: Iterable[str], what: str = "") -> str:
    """Say that a name is not among the known ones, and which it may have meant."""
    names = list(known)
    hint = nearest(str(value), names)
    shown = (name if re.fullmatch(r"\w+", name) else f"`{name}`" for name in names)
    return f"unknown {what}`{value}`.{hint} Known: {', '.join(shown)}."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean …?``, or nothing where no name is near."""
    near = difflib.get_close_matches(name, sorted(known), 1, 0.5)
    return f" Did you mean `{near[0]}`?" if near else ""
