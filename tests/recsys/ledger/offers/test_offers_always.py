"""Whatever happens in whatever order: books that add up, budgets kept, offers used once."""

import itertools
from contextlib import suppress

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from recsys.bundles.terms import Offer
from recsys.errors import OfferError, TransitionError
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.returns import ReturnedOrder
from recsys.ledger.offers.undoing import Undo
from tests.recsys.ledger.conftest import NOW

from .deals import CODES, DISCOUNT, check_books, counted, decide, issue, redeem

FEW = st.integers(0, 2)
STATUS = st.sampled_from(["approved", "paused", "withdrawn", "rejected"])
STEPS = st.one_of(
    st.tuples(st.just("issue"), FEW),
    st.tuples(st.just("issue"), FEW),
    st.tuples(st.just("redeem"), st.integers(0, 9)),
    st.tuples(st.just("redeem"), st.integers(0, 9)),
    st.tuples(st.just("undo"), st.integers(0, 9)),
    st.tuples(st.just("return"), FEW, st.sampled_from([(), ("tea",), ("milk",), ("milk", "tea")])),
    st.tuples(st.just("status"), STATUS),
    st.tuples(st.just("end"), st.sampled_from([None, 30, 90])),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 70])),  # an offer stands for 60 minutes
)
BUDGET = 3 * DISCOUNT + 1
MINUTE = 60
names = itertools.count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=25), per_customer=st.integers(1, 2))
def test_promises_are_kept(ledger: Ledger, steps: list[tuple[str, ...]], per_customer: int) -> None:
    name = f"x{next(names)}"  # a bundle, customers and orders of its own
    decide(ledger, name, budget_minor=BUDGET, per_customer=per_customer)
    now_ts, codes = NOW, list[str]()
    used: dict[str, str] = {}  # code → the order that uses it
    for kind, *given_ in steps:
        what = given_[0]
        if kind == "issue":
            made = issue(ledger, f"{name}-c{what}", name, now_ts)
            if isinstance(made, Offer):
                assert made.state == "standing"
                assert made.expires_ts > now_ts
                codes += [CODES.of(made)] if CODES.of(made) not in codes else []
        elif kind == "redeem" and codes:
            code = codes[int(what) % len(codes)]
            order = f"{name}-T{int(what) % 3}"
            try:
                done = redeem(ledger, code, order, now_ts)
            except OfferError:
                pass
            else:
                assert done.first == (code not in used)
                assert used.setdefault(code, order) == order
        elif kind == "undo" and codes:
            code = codes[int(what) % len(codes)]
            with suppress(OfferError):
                ledger.offers.undo(code, Undo(f"{name}-T{int(what) % 3}", "S1", "", now_ts))
                used.pop(code, None)
        elif kind == "return":
            order = f"{name}-T{what}"
            ledger.offers.give_back(
                [ReturnedOrder(order, "S1", dict.fromkeys(given_[1], 1.0))], now_ts
            )
            found = [ledger.offers.find(code) for code in codes]
            used = {
                CODES.of(offer): offer.redemption.transaction_id
                for offer in found
                if offer is not None and offer.redemption is not None
            }
        elif kind == "status":
            with suppress(TransitionError):
                decide(ledger, name, now_ts, status=what)
        elif kind == "end":
            decide(ledger, name, now_ts, ends_ts=what and NOW + int(what) * MINUTE)
        elif kind == "wait":
            now_ts += int(what) * MINUTE
        check_books(ledger, name)
        now = counted(ledger, name, now_ts)
        assert now.reserved_minor + now.spent_minor <= BUDGET
        assert now.issued == len(codes)
        for customer in range(3):
            mine = ledger.offers.standing([f"{name}-c{customer}"], now_ts)
            assert all(offer.expires_ts > now_ts for offer in mine)
            assert len(mine) <= per_customer
        everyone = [f"{name}-c{customer}" for customer in range(3)]
        assert len(ledger.offers.standing(everyone, now_ts)) == now.standing
