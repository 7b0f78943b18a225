"""Bars: methods beside one another, weights, sources, seconds.

Labels and figures come in, SVG comes out. Called by ``page``.
"""

from collections.abc import Sequence

from matplotlib.ticker import MaxNLocator

from training.train.report.canvas import INK, MUTED, OTHER, OUR, SECOND, drawing

_ROW: float = 27
_REST: float = 52


def bars(
    name: str,
    describe: str,
    labels: Sequence[str],
    values: Sequence[float],
    *,
    written: Sequence[str],
    intervals: Sequence[tuple[float, float] | None] = (),
    ours: int | None = 0,
    axis: str = "",
) -> str:
    """Draw one bar a label, from top to bottom.

    Parameters
    ----------
    name, describe
        See ``canvas.drawing``.
    labels : sequence of str
    values : sequence of float
        At least 0.
    written : sequence of str
        Each value as it is written at the end of its bar.
    intervals : sequence of (low, high) or None, optional
        Drawn as a thin line across the end of the bar.
    ours : int, optional
        The bar that is drawn in the accent's colour; None: all.
    axis : str
        What the length means.
    """
    with drawing(name, describe, height=_REST + _ROW * len(labels)) as picture:
        axes = picture.axes
        places = range(len(labels))
        colours = [OUR if ours is None or place == ours else OTHER for place in places]
        axes.barh(places, values, color=colours, height=0.62)
        for place, interval in enumerate(intervals):
            if interval is not None:
                axes.plot(interval, (place, place), color=INK, linewidth=1.4)
        ends = [
            max(value, interval[1] if interval else 0.0)
            for value, interval in zip(values, intervals or [None] * len(labels), strict=True)
        ]
        reach = max([*ends, 1e-9])
        for place, (end, text) in enumerate(zip(ends, written, strict=True)):
            axes.text(end + 0.02 * reach, place, text, va="center", fontsize=10.5, color=MUTED)
        axes.set_xlim(0, 1.24 * reach)
        axes.set_yticks(list(places), labels)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(axis="x")
        axes.set_xlabel(axis)
        axes.spines["left"].set_visible(False)
    return picture.svg


def pairs(
    name: str,
    describe: str,
    labels: Sequence[str],
    first: Sequence[float],
    second: Sequence[float],
    *,
    legend: tuple[str, str],
    axis: str,
) -> str:
    """Draw two bars a label, as shares of 100.

    Parameters
    ----------
    name, describe, labels, axis
        As for ``bars``.
    first, second : sequence of float
        Between 0 and 1.
    legend : tuple of str
        What the two are.
    """
    with drawing(name, describe, height=_REST + 24 + 1.35 * _ROW * len(labels)) as picture:
        axes = picture.axes
        reach = 100 * max([*first, *second, 1e-3])
        digits = 0 if reach >= 10 else 1  # small shares would all be written as 0% or 1%
        for offset, values, colour, of in (
            (-0.2, first, OUR, legend[0]),
            (0.2, second, SECOND, legend[1]),
        ):
            places = [place + offset for place in range(len(labels))]
            axes.barh(places, [100 * v for v in values], color=colour, height=0.36, label=of)
            for place, value in zip(places, values, strict=True):
                axes.text(
                    100 * value + 0.02 * reach,
                    place,
                    f"{100 * value:.{digits}f}%",
                    va="center",
                    fontsize=9.5,
                    color=MUTED,
                )
        axes.set_xlim(0, 1.18 * reach)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(axis="x")
        axes.set_xlabel(axis)
        axes.spines["left"].set_visible(False)
        picture.figure.legend(loc="outside upper left", ncols=2, labelcolor=INK)
    return picture.svg
