"""A cart is what was put in and not taken out or bought, in whatever order it is reported."""

from hypothesis import given
from hypothesis import strategies as st

from recsys.decisions import CartChange, CartLine, ContactState, left_of, united
from recsys.units import DAY

NOW = 1_700_000_000
CHANGES = st.lists(
    st.tuples(st.sampled_from(["tea", "jam", "oil"]), st.integers(1, 3), st.booleans()), max_size=12
)


def change(at: int, quantity: float, item_id: str, *, whole: bool = False) -> CartChange:
    return CartChange(NOW + at, ((item_id, quantity),), whole)


@given(changes=CHANGES)
def test_in_order_it_is_a_running_sum(changes: list[tuple[str, int, bool]]) -> None:
    state, expected = ContactState(), dict.fromkeys(["tea", "jam", "oil"], 0.0)
    for n, (item_id, pieces, taken_out) in enumerate(changes):
        sign = -1 if taken_out else 1
        state = state.with_cart([change(n, sign * pieces, item_id)])
        expected[item_id] = max(0.0, expected[item_id] + sign * pieces)
    found = {line.item_id: line.quantity for line in left_of(state.cart, {}, NOW + 99, DAY)}
    assert found == {item_id: pieces for item_id, pieces in expected.items() if pieces}


def test_what_comes_late_brings_nothing_back() -> None:
    put, out = change(0, 1, "tea"), change(5, -1, "tea")
    for order in ([put, out], [out, put]):
        state = ContactState()
        for each in order:
            state = state.with_cart([each])
        assert left_of(state.cart, {}, NOW + 9, DAY) == ()


def test_a_whole_cart_replaces_what_was_there_before() -> None:
    state = ContactState().with_cart([change(0, 2, "tea"), change(9, 1, "oil")])
    state = state.with_cart([change(5, 3, "jam", whole=True)])
    left = left_of(state.cart, {}, NOW + 99, DAY)
    assert [(line.item_id, line.quantity) for line in left] == [("oil", 1.0), ("jam", 3.0)]


def test_what_was_bought_since_is_not_left() -> None:
    state = ContactState().with_cart([change(0, 1, "tea"), change(5, 1, "jam")])
    bought = {"tea": NOW + 3, "jam": NOW + 3}
    (left,) = left_of(state.cart, bought, NOW + 99, DAY)
    assert left == CartLine("jam", 1.0, NOW + 5)
    assert left_of(state.cart, bought, NOW + 4, DAY) == ()  # as of before it was put in
    assert left_of(state.cart, {}, NOW + DAY + 6, DAY) == ()  # forgotten


def test_linked_identifiers_share_one_cart() -> None:
    phone = ContactState().with_cart([change(0, 1, "tea"), change(0, 1, "oil")])
    laptop = ContactState().with_cart([change(5, -1, "tea"), change(6, 2, "jam")])
    left = left_of(united([phone, laptop]).cart, {}, NOW + 99, DAY)
    assert [(line.item_id, line.quantity) for line in left] == [("jam", 2.0), ("oil", 1.0)]
