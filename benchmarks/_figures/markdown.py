"""Numbers and tables as they are written in the documents.

Values come in, Markdown comes out. Called by the modules that write tables.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks._figures.results import Figure

#: Length of the lines of README.md, which is wrapped.
_WIDTH: Final = 108


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table, one line a row."""
    head, *body = (
        "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)
        for cells in (heading, *rows)
    )
    return "\n".join((head, f"|{'---|' * len(heading)}", *body, ""))


def items(texts: Iterable[str]) -> str:
    """Lay out a list, its lines wrapped."""
    return "".join(
        textwrap.fill(
            f"- {text}",
            _WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
        for text in texts
    )


def paragraph(text: str) -> str:
    """Lay out a paragraph, its lines wrapped."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def share(value: float, digits: int = 3) -> str:
    """Write a number of at most 1 without the zero in front: ``.059``; 0 and 1 are whole."""
    if value in (0, 1):
        return f"{value:.0f}"
    text = f"{abs(value):.{digits}f}"
    sign = "-" if value < 0 and float(text) else ""
    return sign + text.removeprefix("0")


def signed(value: float, digits: int = 4) -> str:
    """Write a difference: ``+.0058``."""
    text = share(value, digits)
    return text if text.startswith("-") else f"+{text}"


def interval(figure: Figure, digits: int = 3) -> str:
    """Write a share with the ends of its interval: ``.940 [.919, .957]``."""
    low, high = (share(end, digits) for end in (figure.low, figure.high))
    return f"{share(figure.value, digits)} [{low}, {high}]"


def plus_minus(figure: Figure, digits: int = 3) -> str:
    """Write a share with half of its interval: ``.264 ± .013``."""
    return f"{share(figure.value, digits)} ± {share(figure.half_width, digits)}"


def percent(value: float, digits: int = 0) -> str:
    """Write a share in percent: ``12.9%``."""
    return f"{value:.{digits}%}"


def count(value: float) -> str:
    """Write a number of things: ``79,148``."""
    return f"{value:,.0f}"


def ratio(value: float) -> str:
    """Write how many times as much: ``.17``, ``1.7``, ``43``."""
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.995 else share(value, 2)


def three_digits(value: float) -> str:
    """Write a number with about three digits: ``238``, ``15.9``, ``2.10``."""
    if value >= 1000:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 0.01))))}f}"


def bold(text: str, when: bool = True) -> str:
    """Print a text in bold."""
    return f"**{text}**" if when else text
