"""Explains which setting does not fit its type, and what would fit.

A part of the file and the struct that it should become come in. The dotted path of the first wrong
setting goes out, with one sentence about it; for an unknown name, the sentence has the nearest
known one. Called by ``recsys.config``.
"""

import difflib
import re
from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from recsys.config.placement_settings import PlacementSettings
from recsys.config.settings import ServeSettings, Settings
from recsys.messages import SETTING_WORDS, choices_of, expected_value

#: Removed settings, by section → the setting that replaces each.
REPLACED: dict[type[Settings], dict[str, str]] = {
    ServeSettings: {
        "requests_per_second": "`[limits] requests_per_minute` says that for all workers"
    },
    PlacementSettings: {"new_only": '`objective = "new"` says what `new_only = true` said'},
}
#: A name that contains another one of at least this many letters is near to it.
_HELD = 3


def explain_error(value: object, kind: Any, where: str) -> tuple[str, str] | None:
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
            known = [name for name in kind.__struct_encode_fields__ if name != "folder"]
            return f"{where}.{name}".lstrip("."), unknown_name(name, known, "setting ")
        if found := explain_error(part, inner, f"{where}.{name}".lstrip(".")):
            return found
    if missing := re.search(r"missing required field `(.+?)`", message):
        needed = next(f.type for f in msgspec.structs.fields(kind) if f.encode_name == missing[1])
        one_of = f": one of {', '.join(choices)}" if (choices := choices_of(needed)) else ""
        return where, f"`{missing[1]}` is missing{one_of}."
    if choices := choices_of(kind):
        return where, unknown_name(value, choices)
    return where, f"expected {expected_value(message, kind, SETTING_WORDS)}, not {value!r}."


def _beneath(kind: Any, value: object) -> Any:
    """Choose the member of a union that the value looks like."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    members = [member for member in get_args(kind) if member is not type(None)]
    of_kind = [
        m
        for m in members
        if isinstance(value, dict) == (isinstance(m, type) and issubclass(m, Settings))
    ]
    return (of_kind or members)[0]


def _parts(value: object, kind: Any) -> list[tuple[str, Any, object]]:
    """List name, type and value of what a section holds; unknown names have the type None."""
    if isinstance(value, dict):
        if isinstance(kind, type) and issubclass(kind, Settings):
            types = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
            return [(name, types.get(name), part) for name, part in value.items()]
        if get_origin(kind) is dict:
            return [(name, get_args(kind)[1], part) for name, part in value.items()]
    if isinstance(value, list) and get_origin(kind) is list:
        return [(str(ix), get_args(kind)[0], part) for ix, part in enumerate(value)]
    return []


def unknown_name(value: object, known: Iterable[str], what: str = "") -> str:
    """Say that a name is not among the known ones, and which it may have meant.

    Parameters
    ----------
    value : object
        As somebody wrote it.
    known : iterable of str
        Names that exist; all of them are listed.
    what : str
        Kind of name with a blank behind it, such as ``"metric "``; none by default.

    Returns
    -------
    str
        Whole sentences, for the message of an error.
    """
    names = list(known)
    hint = nearest_name(str(value), names)
    shown = (name if re.fullmatch(r"\w+", name) else f"`{name}`" for name in names)
    return f"unknown {what}`{value}`.{hint} Known: {', '.join(shown)}."


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean …?``, or nothing where no name is near.

    Case does not matter. Where none is spelled much alike, the shortest name that holds the given
    one is near: `Miscellaneous dairy` to `dairy`.

    Parameters
    ----------
    name : str
        As somebody wrote it.
    known : iterable of str
        Names that exist.

    Returns
    -------
    str
        A sentence that begins with a blank, or an empty text.
    """
    by_plain: dict[str, str] = {}
    for one in sorted(known):
        by_plain.setdefault(one.casefold(), one)
    plain_name = name.casefold()
    near = difflib.get_close_matches(plain_name, by_plain, 1, 0.5)
    if not near and len(plain_name) >= _HELD:
        near = sorted((plain for plain in by_plain if plain_name in plain), key=len)
    return f" Did you mean `{by_plain[near[0]]}`?" if near else ""
