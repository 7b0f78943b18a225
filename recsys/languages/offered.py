"""Which languages are offered, and which of them fits a language tag.

To offer one more, add its tag to ``Tag`` and run ``make messages``; CONTRIBUTING.md says how.
"""

from functools import lru_cache
from typing import Final, Literal, get_args

from babel import negotiate_locale

from recsys.languages.language import Language

#: BCP 47 tags of the languages that every text is in; first the one that the source is written in.
Tag = Literal["en", "de", "fr", "ar", "fa", "ka"]
TAGS: Final[tuple[str, ...]] = get_args(Tag)
_LANGUAGES: Final = {tag: Language(tag) for tag in TAGS}
ENGLISH: Final = _LANGUAGES["en"]


def language_of(tag: str) -> Language:
    """Return an offered language.

    Parameters
    ----------
    tag : str
        One of ``TAGS``.

    Raises
    ------
    KeyError
        When it is not offered.
    """
    return _LANGUAGES[tag]


@lru_cache(maxsize=1024)  # tags come from outside, a few of them again and again
def fit_language(tag: str) -> Language | None:
    """Return the offered language that fits a tag; None where none does.

    Parameters
    ----------
    tag : str
        BCP 47, in any case: ``de-AT`` fits ``de``.
    """
    found = negotiate_locale([tag], TAGS, sep="-", aliases={})
    return None if found is None else _LANGUAGES[found.lower()]
