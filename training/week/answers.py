"""What happened in a week, and what every channel answered after it.

``script`` makes a ``Week``; ``tables`` and ``chart`` show it, ``checks`` judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from training.tour.customer import Customer

Body = dict[str, Any]

#: What is asked after each step, as people call it, and its placement.
CHANNELS: Final = {
    "weekly e-mail": "email_weekly",
    "web shop": "web_home",
    "associate's tablet": "associate_tablet",
    "cart e-mail": "email_cart",
    "post-purchase e-mail": "email_post_purchase",
}
#: What happens.
MAIL, CLICK, CART, PURCHASE, RETURN, OPT_OUT = (
    "mail",
    "click",
    "cart",
    "purchase",
    "return",
    "opt-out",
)


@dataclass(frozen=True)
class Answer:
    """What one channel would show at one moment."""

    channel: str
    """As in ``CHANNELS``."""
    status: int
    """Of HTTP; 409 where a message is held."""
    body: Body
    """The answer, or the problem."""
    decision: Body
    """What ``GET /v1/decisions`` says of it."""
    may_show: tuple[str, ...] = ()
    """Which of the week's two products it may show, wherever they rank; none before they are
    chosen."""

    @property
    def items(self) -> list[str]:
        """Products, in order."""
        return [item["item_id"] for item in self.body.get("items", ())]

    @property
    def clicked(self) -> list[str]:
        """Products that lead because they were clicked elsewhere."""
        return [item["item_id"] for item in self.body.get("items", ()) if item.get("clicked")]

    @property
    def left_cart(self) -> list[str]:
        """What is left of a cart, where the channel is told."""
        return [line["item_id"] for line in self.body.get("left_cart") or ()]

    @property
    def held(self) -> str | None:
        """Code of why a message does not go out."""
        held = self.decision.get("held")
        return held["code"] if held else None

    def why(self) -> list[str]:
        """Return what ``omnibasket why`` says, in sentences."""
        return [*self.decision["text"], *(one["text"] for one in self.decision["withheld"])]


@dataclass(frozen=True)
class Step:
    """Something that happened, and every channel afterwards."""

    name: str
    happened: str
    """What the customer did, in words."""
    at: datetime
    """Local time of it."""
    answers: Mapping[str, Answer]
    """By the names of ``CHANNELS``."""


@dataclass(frozen=True)
class Week:
    """A week of one customer.

    Attributes
    ----------
    customer : Customer
    steps : tuple of Step
    clicked, other : str
        The product that was clicked, and the one that went into the cart with it. Both were
        bought, and returned.
    titles : mapping of str to str
        Of every product that was shown.
    """

    customer: Customer
    steps: tuple[Step, ...]
    clicked: str
    other: str
    titles: Mapping[str, str]

    @property
    def pair(self) -> tuple[str, str]:
        """The two products of the week."""
        return self.clicked, self.other

    def __getitem__(self, name: str) -> Step:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)
