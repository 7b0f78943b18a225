"""Lines of orders that are not products."""

import pytest

from tests.training.init.conftest import Propose


def table(*lines: tuple[str, str, str, str]) -> str:
    rows = "".join(
        f"{n};2024-03-01 10:00;{item};{title};{quantity};{price}\n"
        for n, (item, title, quantity, price) in enumerate(lines, 1)
    )
    return f"order_no;sold_at;sku;description;qty;price\n{rows}"


GOODS = (("A-10", "Lamp", "1", "10,00"), ("B-20", "Desk", "2", "20,00"))


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("POSTAGE", ""),
        ("9001", "Versandkosten"),
        ("TIP", "Tip"),
        ("77", "Trinkgeld"),
        ("88", "Frais de port"),
        ("PFAND", "Flaschenpfand"),
        ("99", "Tüte"),
        ("12", "Bolsa"),
        ("13", "Sacchetto"),
        ("14", "Kaucja"),
        ("15", "Poşet"),
        ("16", "レジ袋"),
        ("17", "شحن"),
    ],
)
def test_fees_bags_deposits_and_tips_are_no_products(
    proposed: Propose, item: str, title: str
) -> None:
    found = proposed(table(*GOODS, (item, title, "1", "0,50")))
    assert found.fees == [item]
    assert any("is not counted as a product" in check for check in found.checks)


@pytest.mark.parametrize(
    ("item", "title", "quantity", "price"),
    [
        ("BG-100", "Bag of rice", "1", "3,00"),
        ("CC-1", "Carriage clock", "1", "30,00"),
        ("9001", "Pfandrückgabe", "-3", "0,25"),  # a refunded deposit
        ("PFAND", "Pfand", "-3", "0,25"),
        ("HB-1", "Bag", "1", "149,00"),  # a shop that sells bags
        ("COUPON", "Staff coupon", "-1", "1,00"),
    ],
)
def test_what_only_sounds_so_stays(
    proposed: Propose, item: str, title: str, quantity: str, price: str
) -> None:
    assert proposed(table(*GOODS, (item, title, quantity, price))).fees == []


def test_what_may_be_one_is_proposed(proposed: Propose) -> None:
    found = proposed(table(*GOODS, ("GC", "Gift card 20", "1", "20,00")))
    assert found.fees == []
    assert found.maybe_fees == ["GC"]


def test_deposits_are_paid_back_as_often_as_they_are_paid(proposed: Propose) -> None:
    lines = [("900", "Pfand", "2", "0,25"), ("900", "Pfand", "-3", "0,25")]
    assert proposed(table(*GOODS, *lines)).fees == ["900"]
