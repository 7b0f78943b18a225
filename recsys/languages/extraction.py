"""Finds every text of the source, and brings the catalogues up to date with it.

In: Python files, templates and scripts. Out: one template catalogue, and the ``.po`` files with
new texts to translate. ``make messages`` runs this module; nothing that answers imports it.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from babel.messages import Catalog, extract, pofile

from recsys.languages.catalogues import path_of, read_catalogue
from recsys.languages.offered import TAGS

#: Plural forms as gettext counts them. Babel's own differ: it has one form for Georgian and
#: Persian, and another order for Arabic.
PLURAL_FORMS: Final = {
    "de": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
    "n%100>=11 ? 4 : 5);",
    "fa": "nplurals=2; plural=(n > 1);",
    "ka": "nplurals=2; plural=(n != 1);",
}
#: Calls that texts stand in. The title of a kind of problem is one; its advice is for programmers.
_PYTHON: Final[dict[str, Any]] = {
    "gettext": None,
    "say": None,
    "deferred": None,
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "Kind": (2,),
}
_TEMPLATES: Final[dict[str, Any]] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_SCRIPTS: Final[dict[str, Any]] = {"t": None, "tparts": None, "tn": (1, 2)}
_WIDTH: Final = 100


class _Source(NamedTuple):
    """Files of one kind, and how their texts are found."""

    pattern: str
    method: str
    calls: dict[str, Any]
    options: dict[str, Any]


_SOURCES: Final = (
    _Source("recsys/**/*.py", "python", _PYTHON, {}),
    _Source("serving/**/*.py", "python", _PYTHON, {}),
    _Source(
        "serving/pages/templates/*.html",
        "jinja2.ext:babel_extract",
        _TEMPLATES,
        {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"},
    ),
    _Source("serving/pages/static/*.js", "javascript", _SCRIPTS, {}),
)


def find_messages(root: Path) -> Catalog:
    """Find every text of the source.

    Parameters
    ----------
    root : Path
        Folder that holds ``recsys`` and ``serving``.

    Returns
    -------
    babel.messages.Catalog
        English, each text with the files that it stands in.
    """
    found = Catalog(project="omnibasket", charset="utf-8")
    for source in _SOURCES:
        for path in sorted(root.glob(source.pattern)):
            # Without line numbers, so that a catalogue changes only where a text does.
            place: Any = (path.relative_to(root).as_posix(), None)
            for text, comments, context in _texts_of(path, source):
                found.add(text, None, [place], auto_comments=comments, context=context)
    return found


def _texts_of(path: Path, source: _Source) -> Iterator[tuple[Any, list[str], str | None]]:
    with path.open("rb") as file:
        for _, text, comments, context in extract.extract(
            source.method,
            file,
            source.calls,
            ["Translators:"],
            source.options,
            strip_comment_tags=True,
        ):
            yield text, comments, context


def update_catalogues(root: Path, tags: tuple[str, ...] = TAGS[1:]) -> None:
    """Bring the catalogues up to date: add new texts, empty, and drop those that are gone.

    Parameters
    ----------
    root : Path
        Folder that holds ``recsys`` and ``serving``.
    tags : tuple of str
        Languages; one without a catalogue gets an empty one.
    """
    found = find_messages(root)
    for tag in tags:
        path, header = path_of(tag), _header(tag)
        old = read_catalogue(tag) if path.exists() else Catalog(locale=tag)
        new = pofile.read_po(io.BytesIO(header), locale=tag)
        for message in found:
            if not message.id:
                continue
            known = old.get(message.id, message.context)
            new.add(
                message.id,
                known.string if known is not None else None,
                message.locations,
                flags=known.flags if known is not None else (),
                auto_comments=message.auto_comments,
                context=message.context,
            )
        body = pofile.generate_po(new, omit_header=True, include_lineno=False, width=_WIDTH)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(header + "".join(body).encode())


def _header(tag: str) -> bytes:
    """Return what a reader needs to know of a catalogue: no dates, which would differ each time."""
    return (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {tag}\\n"\n'
        f'"Plural-Forms: {PLURAL_FORMS[tag]}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    ).encode()


if __name__ == "__main__":
    update_catalogues(Path.cwd())
