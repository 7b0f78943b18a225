"""Draws both arms of the simulation beside each other.

In: rows of a report. Out: an SVG file. Called by ``benchmarks.conversation``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_COLOURS: Final = ("#1f6f8b", "#d1495b")
_FAULTS: Final = {
    "over_product_cap": "over the cap on products",
    "just_bought": "just bought",
    "bought_in_cart": "cart that was bought",
    "refused_shown": "not wanted",
    "against_consent": "mails without consent",
}


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw repeats by week, and what should not have been shown.

    Parameters
    ----------
    rows : sequence of mapping
        As ``Report.rows``.
    path : Path
        Of the SVG.
    """
    of = {(row["method"], row["metric"]): row["value"] for row in rows}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    settings = {"svg.hashsalt": "omnibasket", "svg.fonttype": "none", "font.size": 10}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(10, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
        weeks = int(of[methods[0], "weeks"])
        for method, colour in zip(methods, _COLOURS, strict=True):
            values = [of[method, f"repeats@{week}"] for week in range(1, weeks + 1)]
            left.plot(range(1, weeks + 1), values, marker="o", color=colour, label=method)
        left.set(xlabel="week", title="Showings of what was seen within 7 days,\na customer")
        left.set_ylim(bottom=0)
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.legend(frameon=False)
        per = 1_000 / of[methods[0], "customers"] / of[methods[0], "weeks"]
        height = 0.38
        for nth, (method, colour) in enumerate(zip(methods, _COLOURS, strict=True)):
            values = [of[method, name] * per for name in _FAULTS]
            places = [place + (nth - 0.5) * height for place in range(len(values))]
            bars = right.barh(places, values, height, color=colour, label=method)
            right.bar_label(
                bars, [f"{value:,.1f}" if value else "0" for value in values], padding=3
            )
        right.set_yticks(range(len(_FAULTS)), list(_FAULTS.values()))
        right.invert_yaxis()
        right.set_xscale("symlog", linthresh=1)
        right.xaxis.set_visible(False)
        right.margins(x=0.25)
        right.set_title(
            "What should not have been shown,\na week of 1,000 customers (bars: log scale)"
        )
        for axes in (left, right):
            axes.spines[["top", "right"]].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
