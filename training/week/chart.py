"""Draws a week: a column a step, a row a channel, and in each cell what is shown there.

In: a ``Week``. Out: a figure. Called by ``omnibasket week --chart`` and by the week's notebook.
"""

import textwrap
from collections.abc import Mapping
from typing import Final

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle

from training.week.answers import CHANNELS, Answer, Step, Week
from training.week.tables import just_bought

#: Blue and orange of Okabe and Ito's palette, which people tell apart whatever they see of colours.
_CLICKED, _OTHER, _QUIET, _INK = "#0072B2", "#E69F00", "#E6E9EB", "#2B3237"
#: Products of a list that are drawn, and lines of a cell.
_SHOWN, _LINES = 5, 7
_WIDTH, _LABEL, _GAP = 1.0, 0.5, 0.045
_TITLE_LETTERS, _HELD_LETTERS, _HAPPENED_LETTERS = 29, 25, 28
_RC: Final[Mapping[str, object]] = {
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.size": 8,
    "hatch.color": "#D8DCDF",
    "hatch.linewidth": 0.7,
}


def draw(week: Week) -> Figure:
    """Draw a week.

    Parameters
    ----------
    week : Week

    Returns
    -------
    Figure
        Of matplotlib.
    """
    n_steps, n_channels = len(week.steps), len(CHANNELS)
    with mpl.rc_context(dict(_RC)):  # type: ignore[arg-type]
        figure = Figure(figsize=(13.4, 9.0), dpi=100)
        axes = figure.add_axes((0.005, 0.005, 0.99, 0.99))
        axes.set(xlim=(-_LABEL, n_steps), ylim=(n_channels + 0.28, -0.62))
        axes.set_axis_off()
        for column, step in enumerate(week.steps):
            _head(axes, column, step)
            for row, channel in enumerate(CHANNELS):
                _cell(axes, (column, row), week, step, step.answers[channel])
        for row, channel in enumerate(CHANNELS):
            label = "\n".join(channel.split(" "))
            axes.text(-0.05, row + 0.47, label, ha="right", va="center", color=_INK, weight="bold")
        _legend(axes, week)
    return figure


def _head(axes: Axes, column: int, step: Step) -> None:
    axes.text(
        column + _GAP,
        -0.53,
        f"{step.at:%A %H:%M}",
        size=10,
        weight="bold",
        color=_INK,
        va="center",
    )
    happened = textwrap.fill(step.happened, _HAPPENED_LETTERS)
    axes.text(column + _GAP, -0.43, happened, color=_INK, va="top", linespacing=1.25)


def _cell(axes: Axes, at: tuple[int, int], week: Week, step: Step, answer: Answer) -> None:
    left, top = at[0] + _GAP, at[1] + _GAP
    width, height = _WIDTH - 2 * _GAP, _WIDTH - 2 * _GAP
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0.012,rounding_size=0.02",
            facecolor="white",
            edgecolor="#C9CFD3",
            hatch="////" if answer.held else None,
            linewidth=0.8,
        )
    )
    if answer.held:
        said = textwrap.fill(answer.why()[0], _HELD_LETTERS)
        axes.text(
            left + width / 2,
            top + height / 2,
            f"HELD: {answer.held}\n{said}",
            ha="center",
            va="center",
            color=_INK,
            linespacing=1.4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
        )
        return
    step_down = height / _LINES
    for line, (item_id, how) in enumerate(_lines(week, step, answer)):
        place = (left + 0.02, top + line * step_down + 0.008)
        _product(axes, place, (width - 0.04, step_down - 0.016), week, item_id, how)


def _lines(week: Week, step: Step, answer: Answer) -> list[tuple[str, str]]:
    """Return products with how they are drawn: of the cart, of the list, and kept out.

    The two products of the week are drawn wherever they rank, with their rank where it is low.
    """
    cart = [(item_id, "cart") for item_id in answer.left_cart]
    out = [(item_id, "out") for item_id in just_bought(week, step, answer)]
    room = min(_SHOWN, _LINES - len(cart) - len(out))
    shown = [
        (item_id, "leads" if item_id in answer.clicked else f"{rank}. " if rank > room else "")
        for rank, item_id in enumerate(answer.items, 1)
        if rank <= room or item_id in week.pair
    ]
    return (cart + shown + out)[:_LINES]


def _product(
    axes: Axes,
    place: tuple[float, float],
    size: tuple[float, float],
    week: Week,
    item_id: str,
    how: str,
) -> None:
    colour = {week.clicked: _CLICKED, week.other: _OTHER}.get(item_id, _QUIET)
    filled = how not in ("cart", "out")
    axes.add_patch(
        Rectangle(
            place,
            *size,
            facecolor=colour if filled else "white",
            edgecolor="none" if filled else colour,
            linestyle="--" if how == "cart" else "-",
            linewidth=1.3,
        )
    )
    (x, y), (width, height) = place, size
    ink = "white" if filled and colour == _CLICKED else _INK
    before = {"leads": "★ ", "cart": "cart: ", "out": ""}
    title = before.get(how, how) + week.titles[item_id]
    if len(title) > _TITLE_LETTERS:
        title = f"{title[: _TITLE_LETTERS - 1].rstrip(' ,')}…"
    axes.text(x + 0.02, y + height / 2, title, size=7, color=ink, va="center_baseline")
    if how == "out":
        for ends in ((y, y + height), (y + height, y)):
            axes.plot((x, x + width), ends, color=colour, linewidth=0.9)


def _legend(axes: Axes, week: Week) -> None:
    named = {_CLICKED: week.titles[week.clicked], _OTHER: week.titles[week.other]}
    handles: list[Artist] = [Patch(color=colour, label=title) for colour, title in named.items()]
    handles += [
        Patch(facecolor=_QUIET, label="other products"),
        Patch(facecolor="none", edgecolor="none", label="★ leads, as it was clicked elsewhere"),
        Patch(facecolor="white", edgecolor=_INK, linestyle="--", label="left in a cart"),
        Line2D([], [], color=_INK, marker="x", linestyle="none", label="kept out: just bought"),
        Patch(facecolor="white", edgecolor="#C9CFD3", hatch="////", label="message held"),
    ]
    axes.legend(
        handles=handles,
        loc="lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        handlelength=1.4,
        columnspacing=1.3,
    )
