"""Pictures as SVG text that takes its colours from the page.

A figure of matplotlib comes in, SVG for an HTML page comes out. Each colour that is drawn is one
of ``COLOURS``, and becomes a variable of the page's style, so that light and dark need one
picture. Called by ``bars`` and ``curves``.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Stands for each variable of the page while matplotlib draws.
COLOURS: Final = {
    "ink": "#010101",
    "muted": "#020202",
    "line": "#030303",
    "ours": "#040404",
    "other": "#050505",
    "second": "#060606",
    "third": "#070707",
    "shade": "#080808",
}
INK, MUTED, LINE = COLOURS["ink"], COLOURS["muted"], COLOURS["line"]
OUR, OTHER = COLOURS["ours"], COLOURS["other"]
SECOND, THIRD, SHADE = COLOURS["second"], COLOURS["third"], COLOURS["shade"]

_PIXELS: Final = 72
_STYLE: Final[dict[Any, Any]] = {
    "date.converter": "concise",
    "svg.fonttype": "none",  # text stays text: it is searched, copied and read aloud
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "text.color": INK,
    "font.size": 11.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 11.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
}


class Picture:
    """A figure that is being drawn, and then its SVG.

    Attributes
    ----------
    axes : Axes
    svg : str
        Empty until the drawing has ended.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width / _PIXELS, height / _PIXELS), layout="constrained")
        self.axes: Axes = self.figure.add_subplot()
        self.svg = ""


@contextmanager
def drawing(name: str, describe: str, width: float = 360, height: float = 260) -> Iterator[Picture]:
    """Draw one picture.

    Parameters
    ----------
    name : str
        Of the picture; ids within the page begin with it.
    describe : str
        What it shows, for who cannot see it.
    width, height : float
        Pixels; the page scales it to its column.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name, "svg.id": f"picture-{name}"}):
        picture = Picture(width, height)
        yield picture
        text = io.StringIO()
        picture.figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    picture.svg = _for_page(text.getvalue(), name, describe)


def _for_page(svg: str, name: str, describe: str) -> str:
    """Keep the picture itself, with the page's colours, fonts and width."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for variable, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{variable})")
    svg = re.sub(r"font: ((?:\d+ )?[\d.]+px) [^;\"]+", r"font: \1 var(--font)", svg)
    # Ids of several pictures share one page.
    svg = re.sub(r'id="(?!picture-)([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'((?:xlink:)?href="#|url\(#)(?!picture-)', rf"\1{name}-", svg)
    head, body = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]+"', head)
    kept = view.group(0) if view else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img" {kept}><title>{escape(describe)}</title>{body.strip()}'
    )
