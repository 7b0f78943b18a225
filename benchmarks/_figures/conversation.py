"""The table of one conversation beside four channels, in README.md and docs/benchmarks.md.

Results come in, Markdown comes out. Called by ``documents``.
"""

from typing import Final

from benchmarks._figures.markdown import bold, count, percent, table, three_digits
from benchmarks._figures.results import Read

TASK: Final = "demo"
ONE, FOUR = "one conversation", "four channels"
#: Metric → what it is called. Zero in the first column is what was promised.
_FAULTS: Final = {
    "over_product_cap": "showings over the cap of three a week",
    "just_bought": "showings of what had just been bought",
    "bought_in_cart": "carts called left, of what had been bought",
    "refused_shown": "showings of what they do not want",
    "against_consent": "mails without consent",
    "over_message_cap": "mails over the cap of two a week",
    "in_quiet_hours": "mails in quiet hours",
    "bought_unknown": "showings of what had been bought, but was not reported yet",
}


def conversation(read: Read) -> str:
    """What customers saw too often, or should not have seen, and what it costs."""
    found = read("conversation")

    def value(method: str, metric: str) -> float:
        return found.value(TASK, method, metric)

    rows = [
        (
            "repeats: showings of what they saw in the 7 days before, a customer and week",
            *(three_digits(value(method, "repeats")) for method in (ONE, FOUR)),
        )
    ]
    for metric, label in _FAULTS.items():
        one, four = value(ONE, metric), value(FOUR, metric)
        sure = metric != "bought_unknown" and one < four
        rows.append((label, bold(count(one), sure), count(four)))
    rows.append(
        (
            "mails, a customer and week",
            *(three_digits(value(method, "mails")) for method in (ONE, FOUR)),
        )
    )
    for metric, label in (
        ("expected_kept", "expected purchases of the same lists without rules, a list at a time"),
        ("expected_once_kept", "the same, each product once a customer and week"),
    ):
        rows.append((label, *(percent(value(method, metric)) for method in (ONE, FOUR))))
    return table(("", "one conversation", "four channels"), rows)


def conversation_customers(read: Read) -> str:
    """Customers who took part."""
    return count(read("conversation").value(TASK, ONE, "customers"))


def conversation_weeks(read: Read) -> str:
    """Weeks that were played."""
    return count(read("conversation").value(TASK, ONE, "weeks"))


def conversation_lists(read: Read) -> str:
    """Lists that people saw in one conversation."""
    return count(read("conversation").value(TASK, ONE, "lists"))
