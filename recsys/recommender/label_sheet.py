"""A sheet of shelf labels to print: HTML of A4 pages, each label with the code of a product's page.

Labels come in, one document out; it loads nothing. Called by ``omnibasket labels``.
"""

import html
import io
from collections.abc import Iterable
from typing import Final

import msgspec
import segno

from recsys.languages import Language

#: White around a code, in modules; ISO/IEC 18004 asks for four.
_QUIET_ZONE: Final = 4
_STYLE: Final = """
@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 10mm; font: 10pt/1.3 system-ui, sans-serif; color: #000; background: #fff; }
h1 { font-size: 13pt; margin: 0 0 2mm; }
.sheet { display: grid; grid-template-columns: repeat(COLUMNS, minmax(0, 1fr));
  border-block-start: .2mm dashed #999; border-inline-start: .2mm dashed #999; }
.label { display: grid; grid-template-columns: minmax(0, 1fr); justify-items: center;
  align-content: start; gap: 1mm; padding: 3mm; text-align: center; break-inside: avoid;
  border-inline-end: .2mm dashed #999; border-block-end: .2mm dashed #999; }
.label svg { display: block; width: min(34mm, 100%); height: auto; }
.title { font-weight: 700; max-width: 100%; overflow: hidden; overflow-wrap: anywhere;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; }
.price { font-size: 16pt; font-weight: 700; }
.id, .scan { font-size: 8pt; max-width: 100%; overflow-wrap: anywhere; }
@media print { body { margin: 0; } h1 { display: none; } }
""".strip()


class ShelfLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed of one product."""

    url: str
    """Of its page, which the code holds."""
    title: str
    price: str | None
    """In words, as ``Language.money`` writes it."""
    item_id: str
    gtin: str | None = None


def label_sheet(
    labels: Iterable[ShelfLabel], language: Language, *, store: str, columns: int = 3
) -> str:
    """Write a sheet.

    Parameters
    ----------
    labels : iterable of ShelfLabel
    language : Language
        Of what it says besides.
    store : str
        Name of the store that the labels are for.
    columns : int
        Labels beside each other, at least 1.

    Returns
    -------
    str
        An HTML document.
    """
    say = language.gettext
    heading = html.escape(say("Shelf labels for %(store)s") % {"store": language.isolated(store)})
    scan = html.escape(say("Scan for stock and offers"))
    cells = "\n".join(_cell(label, scan) for label in labels)
    return (
        f'<!doctype html>\n<html lang="{language.tag}" dir="{language.direction}">\n<head>\n'
        f'<meta charset="utf-8">\n<title>{heading}</title>\n'
        f"<style>\n{_STYLE.replace('COLUMNS', str(columns))}\n</style>\n</head>\n<body>\n"
        f'<h1>{heading}</h1>\n<main class="sheet">\n{cells}\n</main>\n</body>\n</html>\n'
    )


def draw_code(text: str) -> str:
    """Draw a QR code with error correction M, of which 15 % may be dirty or torn.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        SVG that scales to any size.
    """
    drawn = io.BytesIO()
    made = segno.make(text, error="m", micro=False, boost_error=False)
    made.save(
        drawn, kind="svg", border=_QUIET_ZONE, light="white", xmldecl=False, omitsize=True, nl=False
    )
    return drawn.getvalue().decode()


def _cell(label: ShelfLabel, scan: str) -> str:
    price = "" if label.price is None else f'<div class="price">{html.escape(label.price)}</div>'
    numbers = [label.item_id, *([label.gtin] if label.gtin else [])]
    told = " · ".join(f"<bdi>{html.escape(number)}</bdi>" for number in dict.fromkeys(numbers))
    return (
        f'<article class="label">{draw_code(label.url)}'
        f'<div class="title"><bdi>{html.escape(label.title)}</bdi></div>{price}'
        f'<div class="id">{told}</div><div class="scan">{scan}</div></article>'
    )
