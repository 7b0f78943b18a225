"""Addresses of pages in the aisle: whatever an id holds comes back out of them."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.values import aisle_path, is_base_url

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(IDS, IDS)
def test_ids_survive(item_id: str, location_id: str) -> None:
    found = urlsplit("https://shop.example" + aisle_path(item_id, location_id))
    assert found.path.count("/") == 2
    assert unquote(found.path.removeprefix("/p/")) == item_id
    assert parse_qs(found.query, keep_blank_values=True) == {"location": [location_id]}
    assert not found.fragment


def test_without_a_location() -> None:
    assert aisle_path("A/1 ü", None) == "/p/A%2F1%20%C3%BC"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://shop.example", True),
        ("HTTP://127.0.0.1:8470/omni/", True),
        ("http://[::1]:8470", True),
        ("ftp://shop.example", False),
        ("shop.example", False),
        ("https://", False),
        ("https://shop.example?a=b", False),
        ("https://shop.example/#a", False),
        ("https://user@shop.example", False),
        ("https://shop.example/a b", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_base_is_an_address_by_http_or_https(text: str, is_one: bool) -> None:
    assert is_base_url(text) is is_one
