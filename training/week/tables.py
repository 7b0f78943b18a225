"""Shows a week as tables of text: each channel's list after a step, and why it is so.

In: a ``Week``. Out: columns and rows of text. Called by ``omnibasket week`` and by the notebook of
the week.
"""

from collections.abc import Sequence

from training.week.answers import PURCHASE, Answer, Step, Week

#: Marks of the two products of the week: leads because it was clicked, is shown, is left in the
#: cart, is kept out as it was just bought.
LEADS, SHOWN, IN_CART, KEPT_OUT = "★", "●", "□", "✕"
#: Channels whose lists can be compared: the others are about a cart or an order.
LISTS = ("weekly e-mail", "web shop", "associate's tablet")


def just_bought(week: Week, step: Step, answer: Answer) -> list[str]:
    """Return which of the week's two products a channel keeps out as they were just bought."""
    if step.name != PURCHASE or answer.held:
        return []
    return [item_id for item_id in week.pair if item_id not in answer.may_show]


def lists(
    week: Week, name: str, rows: int = 6, channels: Sequence[str] = LISTS
) -> dict[str, list[str]]:
    """Return what each channel shows after a step.

    Parameters
    ----------
    week : Week
    name : str
        Of the step.
    rows : int
        Of each list, at most; the two products of the week come on top of them.
    channels : sequence of str
        Keys of ``CHANNELS``.

    Returns
    -------
    dict of str to list of str
        Channel → lines, all of one length: what is left in a cart, the list, what was just bought.
        A held message has one line.
    """
    step = week[name]
    columns = {channel: _lines(week, step, step.answers[channel], rows) for channel in channels}
    longest = max(map(len, columns.values()))
    return {channel: lines + [""] * (longest - len(lines)) for channel, lines in columns.items()}


def reasons(week: Week, name: str) -> list[tuple[str, str]]:
    """Return channel and sentence of everything that ``omnibasket why`` says after a step."""
    answers = week[name].answers.items()
    return [(channel, sentence) for channel, answer in answers for sentence in answer.why()]


def _lines(week: Week, step: Step, answer: Answer, rows: int) -> list[str]:
    if answer.held:
        return [f"held: {answer.held}"]
    title = week.titles.__getitem__
    lines = [f"{IN_CART} {title(item_id)}" for item_id in answer.left_cart]
    for rank, item_id in enumerate(answer.items):
        mark = LEADS if item_id in answer.clicked else SHOWN if item_id in week.pair else " "
        if rank < rows or item_id in week.pair:
            lines.append(f"{mark} {title(item_id)}")
    return lines + [f"{KEPT_OUT} {title(item_id)}" for item_id in just_bought(week, step, answer)]
