"""A price keeps the floor, and a discount that does not pay for itself is not suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundles.pricing import MemberSales, PricePoint, floor_minor, price_points, quote
from recsys.config.settings import BundleSettings

SETTINGS = BundleSettings()
#: Buns for 2.00 and sausages for 3.00, each earning 40%; 100 baskets a month hold both.
GRILL = MemberSales((200, 300), (80.0, 120.0), 100.0, (300.0, 500.0))


def point(sales: MemberSales, settings: BundleSettings, price_minor: int) -> PricePoint:
    (found,) = price_points(sales, settings, [price_minor])
    return found


money = st.integers(10, 20_000)
share = st.floats(-0.2, 0.9)


@st.composite
def sales(draw: st.DrawFn) -> MemberSales:
    prices = draw(st.lists(money, min_size=2, max_size=4))
    margins = [price * draw(share) for price in prices]
    lacking = [draw(st.floats(0, 5_000)) for _ in prices]
    return MemberSales(tuple(prices), tuple(margins), draw(st.floats(0, 1_000)), tuple(lacking))


def test_worked_by_hand() -> None:
    settings = BundleSettings(response=[2.0, 2.0])
    at = point(GRILL, settings, 450)
    # Who lacks buns sees them for 1.50: 100 x (0.75^-2 - 1) = 77.8 more at 80 - 50 each.
    # Who lacks sausages sees them for 2.50: 100 x ((5/6)^-2 - 1) = 44 more at 120 - 50 each.
    # The hundred who buy both now get 50 each.
    assert at.middle == pytest.approx(77.7778 * 30 + 44 * 70 - 100 * 50, abs=0.1)
    assert at.discount_share == pytest.approx(0.1)
    assert at.margin_share == pytest.approx((450 - 300) / 450)
    earns = (77.7778 * 80 + 44 * 120) / (77.7778 + 44)
    assert at.break_even_sales == pytest.approx(100 * 50 / (earns - 50), rel=1e-4)


def test_nobody_can_be_won_who_is_not_there() -> None:
    few = MemberSales(GRILL.prices_minor, GRILL.margins_minor, 100.0, (0.0, 0.0))
    found = quote(few, SETTINGS)
    assert found.sells_anyway
    assert found.suggested is None
    assert all(at.high <= 0 for at in found.curve)


def test_thin_margins_suggest_no_discount() -> None:
    thin = MemberSales((200, 300), (24.0, 36.0), 100.0, (300.0, 500.0))
    found = quote(thin, SETTINGS)
    assert found.sells_anyway
    assert not found.pays


def test_good_margins_pay_even_by_the_lowest_estimate() -> None:
    rich = MemberSales((200, 300), (140.0, 210.0), 100.0, (300.0, 500.0))
    found = quote(rich, SETTINGS)
    assert found.pays
    assert found.suggested is not None
    assert found.suggested.low > 0


def test_a_discount_larger_than_what_is_earned_never_breaks_even() -> None:
    assert point(GRILL, SETTINGS, 500 - 130).break_even_sales is None
    assert point(GRILL, SETTINGS, 500).break_even_sales == 0


def test_without_anything_above_the_floor_no_price_is_suggested() -> None:
    loss = MemberSales((200, 300), (-10.0, 20.0), 100.0, (300.0, 500.0))
    found = quote(loss, SETTINGS)
    assert found.floor_minor > found.full_minor
    assert found.suggested is None
    assert [at.price_minor for at in found.curve] == [500]


@given(sales())
def test_what_is_suggested_keeps_every_rule(sales: MemberSales) -> None:
    found = quote(sales, SETTINGS)
    assert len(found.curve) <= 101
    assert found.curve[-1].price_minor == found.full_minor
    assert [at.price_minor for at in found.curve] == sorted({at.price_minor for at in found.curve})
    for at in found.curve:
        assert at.low <= at.middle <= at.high
    if found.suggested is not None:
        at = found.suggested
        assert at.margin_share >= SETTINGS.margin_floor - 1e-9
        assert SETTINGS.min_discount - 1e-9 <= at.discount_share <= SETTINGS.max_discount + 1e-9
        assert at.middle > 0
        assert at.break_even_sales is not None


@given(sales())
def test_the_floor_is_the_smallest_price_that_keeps_it(sales: MemberSales) -> None:
    floor = floor_minor(sales, SETTINGS)
    kept = SETTINGS.margin_floor
    assert (floor - sales.cost_minor) >= kept * floor - 1e-3
    assert floor == 1 or (floor - 1 - sales.cost_minor) < kept * (floor - 1) + 1e-3


@given(sales(), st.lists(st.sampled_from(["99", "95", "00", "9", "500"]), unique=True))
def test_a_price_ends_as_people_know_it_where_any_such_price_is_allowed(
    sales: MemberSales, endings: list[str]
) -> None:
    settings = BundleSettings(price_endings=endings)
    at = quote(sales, settings).suggested
    full, floor = sales.full_minor, floor_minor(sales, settings)
    allowed = [
        price
        for price in range(max(floor, 1), full)
        if settings.min_discount - 1e-9 <= (full - price) / full <= settings.max_discount + 1e-9
    ]
    known = (
        [price for price in allowed if f"{price:04}".endswith(tuple(endings))] if endings else []
    )
    if at is None:
        return
    assert at.price_minor in (known or allowed)
    if len(known) < 100:  # all of them are looked at
        best = max((one.middle for one in price_points(sales, settings, known)), default=at.middle)
        assert at.middle == pytest.approx(best)


def test_smaller_discounts_than_the_smallest_are_not_suggested() -> None:
    rich = MemberSales((200, 300), (140.0, 210.0), 100.0, (300.0, 500.0))
    found = quote(rich, BundleSettings(min_discount=0.25, price_endings=[])).suggested
    assert found is not None
    assert 0.25 <= found.discount_share <= 0.3
    assert quote(rich, BundleSettings(min_discount=0.5)).suggested is None
