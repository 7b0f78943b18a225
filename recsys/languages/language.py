"""One language: its texts, how it writes numbers, and how names stand in its sentences.

``offered`` makes one for every language that there is; whoever words something for people gets it
from there.
"""

import gettext
from functools import cached_property, lru_cache
from typing import Final

from babel import Locale
from babel.numbers import format_currency, format_decimal

from recsys.languages.catalogues import translations_of
from recsys.messages import isolated

#: Numbers below it are written with digits alone in English.
_GROUPED: Final = 1_000
#: Numbering system → its digits, where they are not those of ASCII.
_DIGITS: Final = {
    "arab": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"),
    "arabext": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"),
}


def deferred(text: str) -> str:
    """Mark a text for the catalogues that is put into a language later, by ``gettext``.

    Parameters
    ----------
    text : str
        In English; it is returned as it is.
    """
    return text


class Language:
    """A language that people are spoken to in.

    Parameters
    ----------
    tag : str
        BCP 47 tag of an offered language, such as ``de``.
    """

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def __repr__(self) -> str:
        return f"Language({self.tag!r})"

    @cached_property
    def _translations(self) -> gettext.NullTranslations:
        return translations_of(self.tag)

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.tag)

    @cached_property
    def name(self) -> str:
        """What its speakers call it."""
        return str(self._locale.get_display_name(self._locale)).capitalize()

    @cached_property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, as HTML's ``dir`` has it."""
        return str(self._locale.text_direction)

    def gettext(self, text: str) -> str:
        """Return a text in this language; the English one where the catalogue lacks it.

        Parameters
        ----------
        text : str
            In English; what is filled in later is ``%(name)s``.
        """
        return self._translations.gettext(text)

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Return the form of a text that a number asks for.

        Parameters
        ----------
        one, many : str
            In English, for 1 and for any other number.
        n : int
        """
        return self._translations.ngettext(one, many, n)

    def npgettext(self, context: str, one: str, many: str, n: int) -> str:
        """Return the same of a text that means different things in different contexts.

        Parameters
        ----------
        context : str
            As the catalogue names it.
        one, many, n
            As of ``ngettext``.
        """
        return self._translations.npgettext(context, one, many, n)

    def number(self, value: int) -> str:
        """Write a whole number: "1,200", "1.200", "۱٬۲۰۰".

        Parameters
        ----------
        value : int
        """
        if self.tag == "en" and 0 <= value < _GROUPED:
            return str(value)
        return self.decimal(value)

    def decimal(self, value: float) -> str:
        """Write a number: "1.5", "1,5".

        Parameters
        ----------
        value : float
            Written with as many digits after the decimal sign as it has, six at most.
        """
        return _written(self, value, "#,##0.######")

    def percent(self, share: float, digits: int = 0) -> str:
        """Write a share as a percentage.

        Parameters
        ----------
        share : float
            1 for all of it.
        digits : int
            After the decimal sign.
        """
        pattern: str = self._locale.percent_formats[None].pattern
        if digits:
            pattern = pattern.replace("0", f"0.{'0' * digits}", 1)
        return _written(self, share, pattern)

    def money(self, value: float, currency: str) -> str:
        """Write an amount with its currency: "1.234,50 €".

        Parameters
        ----------
        value : float
            In units of the currency, not in minor ones.
        currency : str
            ISO 4217 code.
        """
        text = format_currency(value, currency, locale=self._locale, numbering_system="default")
        return self._in_own_digits(text)

    def _in_own_digits(self, text: str) -> str:
        """Babel takes the signs of a numbering system, but not its digits."""
        return text.translate(_DIGITS.get(self._locale.default_numbering_system, {}))

    def isolated(self, name: str) -> str:
        """Keep a name from turning the sentence around it, or from being turned by it.

        Parameters
        ----------
        name : str
            Of a product, a category or a person, in any script.

        Returns
        -------
        str
            Between U+2068 and U+2069 wherever its direction may differ from the sentence's.
        """
        return isolated(name, always=self.direction == "rtl")


@lru_cache(maxsize=4096)
def _written(language: Language, value: float, pattern: str) -> str:
    text = format_decimal(value, pattern, locale=language._locale, numbering_system="default")
    return language._in_own_digits(text)
