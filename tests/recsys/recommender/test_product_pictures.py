"""Pictures of the example shop: whole documents that hold nothing of what was given."""

import xml.etree.ElementTree as ET

import pytest

from recsys.recommender.product_pictures import draw, shape_of


@pytest.mark.parametrize(
    ("title", "kinds", "shape"),
    [
        ("Bananas, 40 lb, maker 2", ("Tropical fruit",), "banana"),
        ("Fluid milk white only, own brand", (), "carton"),
        ("Hamburger buns, 12 oz", (), "loaf"),
        ("Gala, 3 lb", ("Apples", "Produce"), "round"),
        ("Candy bars", ("Candy - packaged",), "bag"),
        ("Screwdriver", ("Tools",), "box"),
        ("حليب كامل الدسم", (), "box"),
        ("", (), "box"),
    ],
)
def test_a_product_is_drawn_as_what_it_is_sold_in(
    title: str, kinds: tuple[str, ...], shape: str
) -> None:
    assert shape_of(title, *kinds) == shape


def test_a_drawing_is_a_whole_document_the_same_always() -> None:
    drawn = draw('</svg><script>alert("x")</script>', "milk")
    assert "script" not in drawn
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert drawn == draw('</svg><script>alert("x")</script>', "milk")
    assert draw("Tea") != draw("Coffee")
