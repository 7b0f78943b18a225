"""A redemption is undone for a minute, by the till that made it, as if it had never been."""

from typing import Any

import pytest

from recsys.bundles.terms import Counts
from recsys.errors import OfferError
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.pieces import OrderItem
from recsys.ledger.offers.undoing import UNDO_SECONDS, Undo
from tests.recsys.ledger.conftest import NOW

from .deals import CODES, DISCOUNT, HOUR, check_books, counted, decide, promise, redeem

SCOPE = "S1"


def undo(ledger: Ledger, code: str, number: str = "T1", *, at: int = NOW, till: str = "") -> str:
    return ledger.offers.undo(code, Undo(number, SCOPE, till, at)).state


def lines(quantity: float, price: int | None = None) -> list[OrderItem]:
    return [OrderItem(name, quantity, price) for name in ("tea", "milk")]


def test_an_undone_redemption_leaves_no_trace(ledger: Ledger) -> None:
    decide(ledger)
    before = counted(ledger)
    offer = promise(ledger)
    code = CODES.of(offer)
    redeem(ledger, code, till="k1 3")
    assert undo(ledger, code, at=NOW + UNDO_SECONDS, till="k1 3") == "standing"
    assert before == Counts()
    assert counted(ledger) == Counts(issued=1, standing=1, reserved_minor=DISCOUNT)
    assert undo(ledger, code, till="k1 3") == "standing"  # asked again
    check_books(ledger)
    # The same order may use it again, as it may not after a return of the goods.
    assert redeem(ledger, code, till="k1 3").first
    assert undo(ledger, code, till="k1 3") == "standing"
    assert redeem(ledger, code, "T2").first
    check_books(ledger)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"till": "k1 4"}, "redemption-of-another"),
        ({"till": "k2 3"}, "redemption-of-another"),
        ({"at": NOW + UNDO_SECONDS + 1}, "redemption-final"),
        ({"number": "T2"}, "offer-redeemed"),
    ],
)
def test_nobody_else_undoes_it_and_nobody_later(
    ledger: Ledger, wrong: dict[str, Any], kind: str
) -> None:
    decide(ledger)
    code = CODES.of(promise(ledger))
    redeem(ledger, code, till="k1 3")
    with pytest.raises(OfferError) as error:
        undo(ledger, code, **{"till": "k1 3", **wrong})
    assert error.value.kind == kind
    assert counted(ledger) == Counts(issued=1, redeemed=1, spent_minor=DISCOUNT)
    with pytest.raises(OfferError, match="no such offer"):
        undo(ledger, CODES.new().code)
    check_books(ledger)


@pytest.mark.parametrize(
    ("change", "state"), [({"status": "withdrawn"}, "withdrawn"), ({"ends_ts": NOW + 5}, "expired")]
)
def test_what_ended_meanwhile_does_not_come_back(
    ledger: Ledger, change: dict[str, Any], state: str
) -> None:
    decide(ledger)
    code = CODES.of(promise(ledger))
    redeem(ledger, code)
    decide(ledger, at=NOW + 1, **change)
    assert undo(ledger, code, at=NOW + 10) == state
    check_books(ledger)


def test_what_expires_within_the_minute_has_expired(ledger: Ledger) -> None:
    decide(ledger)
    code = CODES.of(promise(ledger))
    redeem(ledger, code, at=NOW + HOUR - 1)
    assert undo(ledger, code, at=NOW + HOUR) == "expired"
    check_books(ledger)


def test_the_budget_is_not_overdrawn(ledger: Ledger) -> None:
    """What the order did not need of its discount was promised to somebody else."""
    decide(ledger, budget_minor=DISCOUNT + 40)
    code = CODES.of(promise(ledger))
    redeem(ledger, code, items=lines(1, 205))  # gives 10 only
    decide(ledger, budget_minor=DISCOUNT + 20)
    other = promise(ledger, "c2")
    with pytest.raises(OfferError, match="budget"):
        undo(ledger, code)
    check_books(ledger)
    assert other.state == "standing"


def test_the_order_is_scanned_anew(ledger: Ledger) -> None:
    """What it was said to hold is forgotten with its last offer, not with one of two."""
    decide(ledger, per_customer=3)
    first, second = (CODES.of(promise(ledger, f"c{n}")) for n in range(2))
    redeem(ledger, first, items=lines(2))
    redeem(ledger, second, items=lines(2))
    assert undo(ledger, first) == "standing"
    with pytest.raises(OfferError, match=r"tea|milk"):
        redeem(ledger, first, items=lines(1))  # the other one has that piece
    assert undo(ledger, second) == "standing"
    assert redeem(ledger, first, items=lines(1)).first
    check_books(ledger)
