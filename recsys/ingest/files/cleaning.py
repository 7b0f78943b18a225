"""Removes invisible characters and spreadsheet text markers from values.

These are leading and trailing blanks, non-breaking blanks, direction and zero-width marks, and the
text markers of spreadsheets (``'00123``, ``="00123"``). Any of them makes two equal ids differ.
``clean`` is the rule for one text in Python, ``clean_sql`` the same for a column in the engine;
a test compares them. Called by every module here that reads a format.
"""

import re

#: Removed from both ends of a value. Other Unicode blanks inside it stay.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
#: Non-breaking blanks; inside a value they become plain blanks.
HARD_BLANKS = "\xa0\u2007\u202f"
#: Zero-width and direction marks. Joiners (U+200C, U+200D) are spelling and stay.
MARKS = (
    "\0\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)

_TABLE = {ord(mark): "" for mark in MARKS} | {ord(blank): " " for blank in HARD_BLANKS}
_BREAK = re.compile(r"\r\n?")
_AS_TEXT = re.compile(r"'(?=[+0-9])")
#: A formula that wraps a text, so that a spreadsheet keeps its leading zeros.
_AS_FORMULA = re.compile(r'="([^"]*)"')
#: UTF-8 bytes of these characters: a quick search string, then the whole pattern.
_BYTES = (
    (b"\xe2\x80", re.compile(rb"\xe2\x80[\x80-\x8b\x8e\x8f\xa8-\xaf]")),
    (b"\xe2\x81", re.compile(rb"\xe2\x81[\x9f\xa0\xa6-\xa9]")),
    (b"\xc2\xa0", re.compile(rb"\xc2\xa0")),
    (b"\xc2\x85", re.compile(rb"\xc2\x85")),
    (b"\xe1\x9a", re.compile(rb"\xe1\x9a\x80")),
    (b"\xe3\x80", re.compile(rb"\xe3\x80\x80")),
    (b"\xef\xbb", re.compile(rb"\xef\xbb\xbf")),
    (b"\xd8\x9c", re.compile(rb"\xd8\x9c")),
)
_CONTROLS = (b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
#: An apostrophe at the beginning of a value.
_APOSTROPHES = (b",'", b";'", b"\t'", b"|'", b"\"'", b"\n'", b"\r'")


def clean(text: str) -> str:
    """Return a value without surrounding blanks and invisible marks.

    Parameters
    ----------
    text : str
        The value in the export.

    Returns
    -------
    str
        May be empty. Line breaks inside become line feeds.
    """
    bare = _BREAK.sub("\n", text).translate(_TABLE).strip(BLANKS)
    bare = _AS_FORMULA.sub(r"\1", bare).strip(BLANKS) if _AS_FORMULA.fullmatch(bare) else bare
    return bare[1:].strip(BLANKS) if _AS_TEXT.match(bare) else bare


def is_plain(block: bytes) -> bool:
    """Return whether every value in a block of UTF-8 text needs only its blanks trimmed.

    Ignores tabs: they may be the separator.
    """
    if not block.isascii() and any(
        literal in block and pattern.search(block) for literal, pattern in _BYTES
    ):
        return False
    if b"'" in block and any(start in block for start in _APOSTROPHES):
        return False
    return b'="' not in block and not any(sign in block for sign in _CONTROLS)


def trim_sql(column: str) -> str:
    """Return SQL that trims plain blanks from a text column; empty text becomes null.

    The SQL tests before it trims: most values have no such blank, and the test is three times as
    fast.
    """
    return (
        f"CASE WHEN starts_with({column}, ' ') OR ends_with({column}, ' ') OR {column} = '' "
        f"THEN nullif(trim({column}), '') ELSE {column} END"
    )


def clean_sql(column: str) -> str:
    """Return SQL that cleans a text column as ``clean`` does; empty text becomes null."""
    table = _literal(HARD_BLANKS + MARKS[1:])
    bare = f"replace(replace({column}, '\r\n', '\n'), '\r', '\n')"
    bare = f"translate(replace({bare}, chr(0), ''), {table}, '{' ' * len(HARD_BLANKS)}')"
    bare = f"trim({bare}, {_literal(BLANKS)})"
    bare = f"trim(regexp_replace({bare}, '^=\"([^\"]*)\"$', '\\1'), {_literal(BLANKS)})"
    bare = f"trim(regexp_replace({bare}, '^''([+0-9])', '\\1'), {_literal(BLANKS)})"
    return f"nullif({bare}, '')"


def unclean_sql(column: str) -> str:
    """Return cheap SQL that is true where ``clean_sql`` would change the value."""
    blanks, anywhere = BLANKS.replace(" ", "\\x20"), HARD_BLANKS + MARKS[1:] + "\r"
    pattern = f"[{anywhere}\\x00]|^[{blanks}]|[{blanks}]$|^'[+0-9]|^=\"|^$"
    return f"regexp_matches({column}, {_literal(pattern)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
