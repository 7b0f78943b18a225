"""Curves: chances beside what happened, and the windows on the time line.

What was measured comes in, SVG comes out. Called by ``page``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from recsys.datasets import Floats
from recsys.units import DAY
from training.train.report import names
from training.train.report.canvas import INK, LINE, MUTED, OUR, SECOND, SHADE, THIRD, drawing


def chances(found: Mapping[str, Any]) -> str:
    """Draw predicted chances against the shares that were bought.

    Parameters
    ----------
    found : mapping
        A ``Reliability`` as plain values, with at least one bin.
    """
    predicted = [100 * one["told"] for one in found["bins"]]
    happened = [100 * one["happened"] for one in found["bins"]]
    low = [100 * one["low"] for one in found["bins"]]
    high = [100 * one["high"] for one in found["bins"]]
    describe = "Predicted chances, beside the shares that were bought"
    with drawing("chances", describe, height=310) as picture:
        axes = picture.axes
        reach = 1.08 * max(*predicted, *high, 1e-6)
        axes.plot([0, reach], [0, reach], color=LINE, linewidth=1.5, label="as predicted")
        axes.vlines(predicted, low, high, color=OUR, linewidth=1.6)
        axes.plot(
            predicted, happened, color=OUR, marker="o", markersize=5, linewidth=1, label="observed"
        )
        axes.set_xlim(0, reach)
        axes.set_ylim(0, reach)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(axis="y", labelcolor=MUTED)
        axes.set_xlabel("predicted chance, %")
        axes.set_ylabel("bought, %")
        axes.grid()
        axes.legend(loc="upper left", labelcolor=INK)
    return picture.svg


def timeline(
    days: Sequence[int],
    orders: Mapping[str, Floats],
    windows: Mapping[str, Sequence[Mapping[str, str]]],
) -> str:
    """Draw orders over time with the windows shaded.

    Parameters
    ----------
    days : sequence of int
        Beginning of each stretch of time, UTC epoch seconds.
    orders : mapping of str to ndarray of shape (len(days),)
        Orders a day, by channel.
    windows : mapping
        ``validation`` and ``test``, each a list of ``start`` and ``end`` in ISO 8601.
    """
    describe = "Orders a day by channel, with the windows to choose on and to judge on"
    with drawing("timeline", describe, width=860, height=300) as picture:
        axes = picture.axes
        for kind, colour, label in (
            ("validation", SHADE, "chosen on"),
            ("test", THIRD, "judged on"),
        ):
            for number, window in enumerate(windows[kind]):
                start, end = (_day(datetime.fromisoformat(window[at])) for at in ("start", "end"))
                axes.axvspan(
                    start,
                    end,
                    color=colour,
                    alpha=0.28,
                    linewidth=0,
                    label=None if number else label,
                )
        at = np.asarray(days) / DAY
        for (channel, counted), (colour, dashes) in zip(
            orders.items(), _lines(len(orders)), strict=True
        ):
            axes.step(
                at,
                counted,
                where="post",
                color=colour,
                linestyle=dashes,
                linewidth=1.6,
                label=names.segment(channel),
            )
        axes.xaxis_date()
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(axis="y", labelcolor=MUTED)
        axes.set_ylim(0, 1.08 * max([*(float(np.max(c, initial=0)) for c in orders.values()), 1]))
        axes.set_ylabel("orders a day")
        axes.grid(axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=6, labelcolor=INK)
    return picture.svg


def _day(at: datetime) -> float:
    """Days since 1970, as matplotlib counts them."""
    return at.timestamp() / DAY


def _lines(n: int) -> list[tuple[str, str]]:
    """Colour and dashes of each line."""
    every = [(colour, dashes) for dashes in ("-", "--", ":") for colour in (OUR, SECOND, INK)]
    return [every[number % len(every)] for number in range(n)]
