"""Words the errors of type checks, parsers and the file system for readers.

Messages of libraries come in; phrases go out that say what is expected instead: "a whole number of
at least 1", "one of `web`, `pos`". Called wherever such a message reaches a user.
"""

import errno
import re
import unicodedata
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import Meta

_TIME: Final = "an ISO 8601 time with an offset, such as 2024-03-01T12:00:00Z"
#: msgspec's names of kinds of values → their names for readers of JSON.
JSON_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "bytes": "base64 text",
    "datetime": _TIME,
    "date": "a date",
    "time": "a time of day",
    "Path": "a path",
}
#: The same for writers of settings.
SETTING_WORDS: Final = JSON_WORDS | {"object": "a table of settings"}

_BOUND: Final = re.compile(r"`(\w+)` (of length )?([<>]=?) (-?[\d.e+]+)")
_KINDS: Final = re.compile(r"xpected `([\w |]+)`")
_GOT: Final = re.compile(r", got `(\w+)`")
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
_PIECES: Final = {"str": "character", "array": "entry", "object": "field"}
#: The password of a URL; greedy, as it may hold an unescaped @.
_PASSWORD: Final = re.compile(r"(://[^/\s:@'\"]*:)[^\s'\"]*@")
_PARAMETER: Final = re.compile(
    r"([?&](?:password|passwd|pwd|passfile|sslpassword|token|secret)=)[^&\s'\"]*", re.IGNORECASE
)
_RIGHT_TO_LEFT: Final = ("R", "AL", "RLE", "RLO", "RLI")
#: Characters that change the direction of the text after them; they are removed from names.
_NO_DIRECTIONS: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def without_secrets(text: str) -> str:
    """Mask the passwords of URLs in a text, before the host and in parameters."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))


def expected_value(message: str, kind: Any, words: Mapping[str, str] = JSON_WORDS) -> str:
    """Describe the value that was expected.

    Parameters
    ----------
    message : str
        The message of msgspec, for example ``Expected `int` >= 1``.
    kind : type
        The type that the value was checked against.
    words : mapping of str to str
        msgspec's name of a kind of value → its name for readers.

    Returns
    -------
    phrase : str
        Continues "must be": "a whole number of at least 1".
    """
    message = message.partition(" - at `")[0]
    for meta in _metas(kind):
        if meta.description and meta.description.startswith(("a ", "an ")):
            return meta.description
    if choices := choices_of(kind):
        return "one of " + ", ".join(f"`{choice}`" for choice in choices)
    if any(phrase in message for phrase in ("RFC3339", "timezone", "imestamp")):
        return _TIME
    bound = _BOUND.search(message)
    if bound is not None:
        name, length, sign, limit = bound.groups()
        noun = words.get(name, name)
        limit = limit.removesuffix(".0")
        if length or name in _PIECES:
            return f"{noun} of {_SIGNS[sign]} {_counted(int(limit), _PIECES.get(name, 'entry'))}"
        how = "of " + _SIGNS[sign] if "=" in sign else _SIGNS[sign]
        return f"{noun} {how} {limit}"
    if "matching regex" in message:
        return _shaped(kind)
    kinds = _KINDS.search(message)
    if kinds is not None:
        names = [name for name in kinds[1].split(" | ") if name != "null"]
        if "float" in names and "int" in names:  # every whole number is a number
            names.remove("int")
        return " or ".join(words.get(name, name) for name in names)
    return "another value"


def received_value(message: str, words: Mapping[str, str] = JSON_WORDS) -> str | None:
    """Describe the kind of value that msgspec got; None where its kind was not the problem."""
    got = _GOT.search(message)
    return {"float": "a decimal number"}.get(got[1], words.get(got[1], got[1])) if got else None


def choices_of(kind: Any) -> tuple[Any, ...]:
    """Return the values of a ``Literal``, also within annotations and unions."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if get_origin(kind) is Annotated:
        return choices_of(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        found = [choices_of(member) for member in members]
        return tuple(one for choices in found for one in choices) if all(found) else ()
    return ()


def unreadable(error: Exception, body: bytes | None = None) -> str:
    """Describe why a text is not JSON of the expected shape.

    Parameters
    ----------
    error : Exception
        Raised by msgspec or by decoding UTF-8.
    body : bytes, optional
        The text, if available.
    """
    if body is not None and not body.strip():
        return "it is empty"
    said = str(error)
    if isinstance(error, UnicodeDecodeError) or "utf-8" in said.lower():
        return "it is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if "truncated" in said:
        return "it ends too early"
    if broken := re.search(r"malformed: (.*) \(byte (\d+)\)", said):
        return f"{broken[1]} at byte {broken[2]}"
    where = re.search(r" - at `\$?\.?(.*)`", said)
    at = f"`{where[1]}`" if where and where[1] else "it"
    if missing := re.search(r"missing required field `(.+?)`", said):
        return f"{at} lacks the field `{missing[1]}`" if at != "it" else f"it lacks `{missing[1]}`"
    if excess := re.search(r"unknown field `(.+?)`", said):
        return f"{at} has an unknown field `{excess[1]}`"
    instead = received_value(said)
    return f"{at} must be {expected_value(said, Any)}" + (f", not {instead}" if instead else "")


def failure(error: OSError, *, named: bool = True) -> str:
    """Describe what the system refused, and what to do about it where that is clear.

    Parameters
    ----------
    error : OSError
    named : bool
        Whether to start with the file name.
    """
    where = f"{error.filename}: " if named and error.filename else ""
    if error.errno in _FULL:
        return f"{where}the disk is full. Make room, and run the command again."
    if error.errno == errno.EROFS:
        return f"{where}the disk can only be read. Choose a folder that can be written to."
    if isinstance(error, PermissionError):
        return f"{where}permission denied. Run it as a user who may read and write there."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{where}too many files are open. Raise the limit (`ulimit -n`), and run it again."
    if error.errno == errno.EADDRINUSE:
        return f"{where}the address is in use. Choose another port with --port."
    reason = error.strerror or str(error) or type(error).__name__
    return f"{where}{reason[:1].lower()}{reason[1:]}."


def counted(number: int, thing: str, many: str | None = None) -> str:
    """Write a number with its noun: "1 version", "1,200 versions".

    Parameters
    ----------
    number : int
    thing : str
        One of them.
    many : str, optional
        Several of them, where that is not ``thing`` with an s.
    """
    return f"{number:,} {thing if number == 1 else many or thing + 's'}"


def isolated(name: str, *, always: bool = False) -> str:
    """Keep a name from reversing the direction of the sentence around it.

    Parameters
    ----------
    name : str
    always : bool
        Isolate every name, as a sentence that is read from right to left needs. By default only
        names with right-to-left letters are put between U+2068 and U+2069, as Unicode's
        bidirectional algorithm asks; others are returned unchanged.
    """
    if not always and (
        name.isascii()
        or not any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in name)
    ):
        return name
    return f"\u2068{name.translate(_NO_DIRECTIONS)}\u2069"


def _counted(number: int, piece: str) -> str:
    return counted(number, piece, "entries" if piece == "entry" else None)


def _metas(kind: Any) -> list[Meta]:
    if get_origin(kind) is Annotated:
        return [meta for meta in kind.__metadata__ if isinstance(meta, Meta)]
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _metas(members[0]) if len(members) == 1 else []
    return []


def _shaped(kind: Any) -> str:
    for meta in _metas(kind):
        if meta.examples:
            return f"text such as `{meta.examples[0]}`"
        if meta.pattern and r"\x00" in meta.pattern:
            return "text without control characters"
    return "text of another form"
