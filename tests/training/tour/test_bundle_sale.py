"""The tour ends with the most interesting bundle."""

from typing import Any

from training.tour.bundle_sale import rank_bundles


def bundle(name: str, lift_low: float, *items: tuple[str, str | None], **fields: Any) -> Any:
    return {
        "bundle_id": name,
        "status": "suggested",
        "support": 100,
        "lift_low": lift_low,
        "pricing": {"suggested_price": {"amount_minor": 395, "currency": "USD"}},
        "items": [
            {"department": department, "category": category, "active": True}
            for department, category in items
        ],
        **fields,
    }


SALAD = ("Produce", "Salad mix")
DRESSING = ("Grocery", "Dressings")
SUGAR, BUTTER = ("Grocery", "Sugar"), ("Grocery", "Butter")


def names(*bundles: Any) -> list[str]:
    return [found["bundle_id"] for found in rank_bundles(bundles)]


def test_different_departments_come_first_then_different_categories() -> None:
    assert names(
        bundle("juices", 90.0, ("Grocery", "Juice"), ("Grocery", "Juice")),
        bundle("unknown", 80.0, ("Grocery", None), ("Produce", None)),
        bundle("baking", 1.6, SUGAR, BUTTER),
        bundle("salad", 1.9, SALAD, DRESSING),
    ) == ["salad", "unknown", "baking", "juices"]


def test_then_enough_baskets_then_lift() -> None:
    assert names(
        bundle("rare", 30.0, SALAD, DRESSING, support=12),
        bundle("weak", 1.6, SALAD, DRESSING),
        bundle("strong", 2.5, SALAD, DRESSING),
    ) == ["strong", "weak", "rare"]


def test_what_cannot_be_sold_at_a_discount_is_none() -> None:
    sold_out = bundle("gone", 2.0, SALAD, DRESSING)
    sold_out["items"][0]["active"] = False
    assert (
        names(
            sold_out,
            bundle("anyway", 2.0, SALAD, DRESSING, pricing={"suggested_price": None}),
            bundle("priceless", 2.0, SALAD, DRESSING, pricing=None),
            bundle("rejected", 2.0, SALAD, DRESSING, status="rejected"),
            bundle("forgotten", 2.0, SALAD, DRESSING, support=None),
        )
        == []
    )
