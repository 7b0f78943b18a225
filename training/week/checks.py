"""Judges a week: whether each step changed the channels as it should.

In: a ``Week``. Out: checks with what was seen. Called by ``omnibasket week``.
"""

from collections.abc import Iterator

from training.tour.check import Check
from training.week.answers import CART, CHANNELS, CLICK, MAIL, OPT_OUT, PURCHASE, RETURN, Week
from training.week.tables import LISTS, just_bought

_PAGES = ("web shop", "associate's tablet")
_MAILS = tuple(channel for channel in CHANNELS if channel not in _PAGES)


def of_week(week: Week) -> list[Check]:
    """Judge every step."""
    steps = (_mail, _click, _cart, _purchase, _return, _opt_out)
    return [check for step in steps for check in step(week)]


def _mail(week: Week) -> Iterator[Check]:
    answers = week[MAIL].answers
    mail = answers["weekly e-mail"].items
    yield Check("the e-mail goes out, with the product", week.clicked in mail, f"{len(mail)} items")
    held = answers["cart e-mail"].held
    yield Check("without a cart there is no cart e-mail", held == "nothing_left", f"{held}")


def _click(week: Week) -> Iterator[Check]:
    for channel in _PAGES:
        answer = week[CLICK].answers[channel]
        first = answer.items[:1]
        yield Check(
            f"after the click, the product leads, marked: {channel}",
            first == [week.clicked] == answer.clicked,
            f"{', '.join(first)}",
        )


def _cart(week: Week) -> Iterator[Check]:
    for channel in ("associate's tablet", "cart e-mail"):
        answer = week[CART].answers[channel]
        yield Check(
            f"the cart that was left is known: {channel}",
            set(answer.left_cart) == set(week.pair) and answer.status == 200,
            f"{answer.status}, {len(answer.left_cart)} products",
        )


def _purchase(week: Week) -> Iterator[Check]:
    step = week[PURCHASE]
    held = step.answers["cart e-mail"].held
    yield Check("after the purchase, no cart e-mail", held == "just_bought", f"{held}")
    for channel in (*LISTS, "post-purchase e-mail"):
        answer = step.answers[channel]
        out = just_bought(week, step, answer)
        yield Check(
            f"what was bought is not shown: {channel}",
            len(out) == 2
            and not {*answer.items, *answer.left_cart} & set(week.pair)
            and bool(answer.items),
            f"{len(out)} of 2 kept out",
        )


def _return(week: Week) -> Iterator[Check]:
    step = week[RETURN]
    for channel in LISTS:
        before, now = (set(week[name].answers[channel].may_show) for name in (CLICK, RETURN))
        yield Check(
            f"what came back may be shown again: {channel}",
            now == before != set(),
            f"{len(now)} of {len(before)} products",
        )
    held = step.answers["post-purchase e-mail"].held
    yield Check("nothing goes with what came back", held == "returned", f"{held}")


def _opt_out(week: Week) -> Iterator[Check]:
    step = week[OPT_OUT]
    for channel in _MAILS:
        held = step.answers[channel].held
        yield Check(f"no e-mail without consent: {channel}", held == "no_consent", f"{held}")
    for channel in _PAGES:
        n = len(step.answers[channel].items)
        yield Check(f"pages go on: {channel}", n > 0, f"{n} items")
