"""Product feeds in XML are read item by item; external entities are never loaded."""

import pytest

from recsys.errors import DataError
from tests.recsys.ingest.files.opening import Open, cells, lines

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title>
<item><title>Plain</title><g:title>Tea &amp; milk</g:title><g:id>T-1</g:id>
<g:price>15.00 USD</g:price><g:additional_image_link>a</g:additional_image_link>
<g:additional_image_link>b</g:additional_image_link>
<g:shipping><g:price>1 USD</g:price></g:shipping></item>
<item><g:id>T-2</g:id><title><![CDATA[ Jam ]]></title></item></channel></rss>
"""


def test_product_feeds_in_xml(opened: Open) -> None:
    raw, rows = opened(FEED, "f.xml", "products")
    table = [dict(zip(raw.columns, row, strict=True)) for row in cells(rows)]
    assert table[0] == {
        "title": "Tea & milk",
        "id": "T-1",
        "price": "15.00 USD",
        "additional_image_link": "a,b",
        "shipping.price": "1 USD",
    }
    assert (table[1]["id"], table[1]["title"], table[1]["price"]) == ("T-2", "Jam", "")
    assert lines(raw, rows) == [3, 7]
    atom = '<feed xmlns="a"><entry><id>1</id><link href="u"/></entry></feed>'
    raw, rows = opened(atom, "a.xml", "products")
    assert (raw.columns, cells(rows)) == (["id", "link"], [["1", "u"]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FEED[:-40], r"f\.xml: damaged XML on line \d+, column \d+ .*download the feed again"),
        ("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><rss/>", "line 1 declares a document"),
        ("<a><b/></a>", "XML without entries"),
    ],
)
def test_damaged_or_dangerous_xml_says_where(opened: Open, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        opened(text, "f.xml", "products")
