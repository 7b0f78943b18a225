"""Which texts may become a link or a picture on a page."""

import ibis
import pytest

from recsys.values.web_addresses import address_expression, is_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://shop.test/a?b=1&c=2#d", "https://shop.test/a?b=1&c=2#d"),
        ("HTTP://shop.test", "HTTP://shop.test"),
        ("//cdn.shop.test/a.jpg", "https://cdn.shop.test/a.jpg"),
        ("https://shop.test/a b.jpg", "https://shop.test/a%20b.jpg"),
        ("https://shop.test/a.jpg, https://shop.test/b.jpg", "https://shop.test/a.jpg"),
        ("https://shop.test/a.jpg|//shop.test/b.jpg", "https://shop.test/a.jpg"),
        ("https://shop.test/a,b.jpg", "https://shop.test/a,b.jpg"),
        ("https://shop.test/ü/\u00e9.jpg", "https://shop.test/ü/\u00e9.jpg"),
        ("javascript:alert(1)", None),
        ("javascript://shop.test/%0aalert(1)", None),
        ("JaVaScRiPt:alert('https://shop.test')", None),
        ("data:text/html,x", None),
        ("/a.jpg", None),
        ("a.jpg", None),
        ("https://", None),
        ("https:///a.jpg", None),
        ("ftp://shop.test/a", None),
        ('https://shop.test/"onerror="alert(1)', None),
        ("https://shop.test/<script>", None),
        ("https://shop.test/\nSet-Cookie: a", None),
    ],
)
def test_addresses_by_http_and_https_alone(text: str, address: str | None) -> None:
    con = ibis.duckdb.connect()
    found = con.to_pyarrow(address_expression(ibis.literal(text))).as_py()
    assert found == address
    assert address is None or is_address(address)
    if address != text:
        assert not is_address(text)
