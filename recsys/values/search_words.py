"""Splits texts into the words that people search by, in any script.

A title, a name or what somebody typed comes in; folded words come out. Called by the search of
the catalogue.
"""

import re
import unicodedata
from typing import Final

#: Letters of a word that count; the rest of a longer one is not looked at.
LONGEST: Final = 64
_ASCII_WORDS: Final = re.compile(r"[a-z0-9]+")
#: Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS: Final = re.compile(rf"[{_UNSPACED}]+|[^\s{_UNSPACED}]+")
_UNSPACED_SIGN: Final = re.compile(rf"[{_UNSPACED}]")
#: Letters that people take for one another and that Unicode does not decompose.
_LETTERS: Final = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ı": "i",
    "ي": "ی",  # Arabic and Persian yeh, alef maksura
    "ى": "ی",
    "ك": "ک",  # Arabic and Persian kaf
    "ة": "ه",  # teh marbuta
    "ـ": "",  # tatweel only stretches a word
}
#: Combining classes of accents and of the vowel signs that Hebrew, Arabic and Syriac may leave
#: out. Other scripts' marks are parts of letters.
_FIRST_ACCENT: Final = 200
_OPTIONAL_VOWELS: Final = range(10, 37)


class _Signs(dict[int, str]):
    """What becomes of each sign, for ``str.translate``; found out once."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        combining, kind = unicodedata.combining(sign), unicodedata.category(sign)
        if combining >= _FIRST_ACCENT or combining in _OPTIONAL_VOWELS:
            found = ""
        elif kind == "Cf":  # invisible; a zero-width space parts words, a joiner does not
            found = " " if sign == "\u200b" else ""
        elif kind == "Nd":
            found = str(unicodedata.digit(sign))
        else:
            found = _LETTERS.get(sign, sign) if kind[0] in "LNM" else " "
        self[code] = found
        return found


_SIGNS: Final = _Signs()


def query_words(text: str) -> list[str]:
    """Return the words that somebody searches for, each once, in their order.

    Case, accents, the vowel signs of Arabic and Hebrew, and the forms of digits do not matter:
    words are folded as ``text_words`` folds them.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Empty where the text holds neither letters nor digits.
    """
    return list(dict.fromkeys(run[:LONGEST] for run in _runs(text)))


def text_words(text: str) -> set[str]:
    """Return the words of a text, for a search by how words begin.

    Parameters
    ----------
    text : str
        Such as a title.

    Returns
    -------
    set of str
        A word of a script that is written without spaces begins at every one of its letters, so
        that a text is found by any part of it.

    Examples
    --------
    >>> sorted(text_words("Crème brûlée, 2 × 100 g"))
    ['100', '2', 'brulee', 'creme', 'g']
    >>> sorted(text_words("緑茶"))
    ['緑茶', '茶']
    """
    found: set[str] = set()
    for run in _runs(text):
        found.add(run[:LONGEST])
        if _UNSPACED_SIGN.match(run):
            found |= {
                run[at : at + LONGEST]
                for at in range(1, len(run))
                if unicodedata.category(run[at])[0] != "M"
            }
    return found


def _runs(text: str) -> list[str]:
    """Return a text's runs of letters and digits, folded, each of scripts of one kind."""
    if text.isascii():
        return _ASCII_WORDS.findall(text.lower())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _RUNS.findall(unicodedata.normalize("NFC", folded.translate(_SIGNS)))
