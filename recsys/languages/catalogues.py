"""Reads the catalogues: gettext files, one a language; English is what the source says.

A language tag comes in; gettext's translations come out, or the texts of one page's scripts.
Called by ``language`` and by the pages of the service.
"""

import gettext
import io
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.messages import Catalog, mofile, pofile

#: Holds ``{language}/LC_MESSAGES/omnibasket.po``, as every tool for gettext files expects.
FOLDER: Final = Path(__file__).with_name("catalogues")
#: Where the scripts of pages lie, as the catalogues name the places of their texts.
SCRIPTS: Final = "serving/pages/static/"
#: CLDR's names of the plural forms → gettext's order of them, by their number. French and Persian
#: count 0 as one; French and others have forms for millions that gettext does not tell apart.
_CATEGORIES: Final = {
    1: ("other",),
    2: ("one", "other"),
    6: ("zero", "one", "two", "few", "many", "other"),
}


def path_of(tag: str) -> Path:
    """Return where the catalogue of a language lies."""
    return FOLDER / tag / "LC_MESSAGES" / "omnibasket.po"


def read_catalogue(tag: str) -> Catalog:
    """Read a catalogue as its file has it, obsolete and fuzzy messages included.

    Parameters
    ----------
    tag : str
        Of an offered language but English.

    Raises
    ------
    OSError
        When there is none.
    """
    with path_of(tag).open("rb") as file:
        return pofile.read_po(file, locale=tag, domain="omnibasket")


@cache
def translations_of(tag: str) -> gettext.NullTranslations:
    """Return the texts of a language, read once and kept; those of English are the source's own.

    Parameters
    ----------
    tag : str
        Of an offered language.
    """
    if tag == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, read_catalogue(tag))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def script_messages(tag: str, *scripts: str) -> dict[str, Any]:
    """Return what the scripts of a page need to speak a language.

    Parameters
    ----------
    tag : str
        Of an offered language.
    *scripts : str
        What the names of the page's scripts begin with: ``dashboard`` for ``dashboard.js`` and
        ``dashboard-list.js``.

    Returns
    -------
    dict
        ``numerals``: the numbering system for ``Intl``; ``categories``: names of the plural forms,
        in the order of ``messages``, which has a text, or one a plural form, by the English text.
        It is empty for English.
    """
    numerals = Locale.parse(tag).default_numbering_system
    if tag == "en":
        return {"numerals": numerals, "categories": ["one", "other"], "messages": {}}
    catalogue = read_catalogue(tag)
    messages: dict[str, str | list[str]] = {}
    for message in catalogue:
        if not message.id or not any(_is_of(name, scripts) for name, _ in message.locations):
            continue
        if isinstance(message.id, tuple):
            messages[message.id[0]] = [*(message.string or ())]
        else:
            messages[str(message.id)] = str(message.string)
    categories = list(_CATEGORIES[catalogue.num_plurals])
    return {"numerals": numerals, "categories": categories, "messages": messages}


def _is_of(location: str, scripts: tuple[str, ...]) -> bool:
    name = location.removeprefix(SCRIPTS)
    return name != location and name.startswith(
        tuple(f"{script}{end}" for script in scripts for end in ".-")
    )
