"""What a scanner reads names the product whose id or bar code it is, and no other."""

from dataclasses import replace

import pytest

from recsys.ranking.product_attributes import Attribute
from recsys.recommender.bar_codes import scanned_item
from recsys.recommender.engine import Engine

EAN, SHORT, TWICE = "4006381333931", "96385074", "0012345678905"


@pytest.fixture
def catalogue(engine: Engine):
    found, ids = engine.catalogue, list(engine.index.item_ids)
    codes = [None] * len(ids)
    codes[0], codes[1], codes[2], codes[3] = EAN, SHORT, TWICE, TWICE
    columns = {**found.attributes.columns, "gtin": Attribute.of(codes)}
    return replace(found, attributes=replace(found.attributes, columns=columns))


def test_an_id_or_a_gtin_in_any_of_its_lengths(catalogue) -> None:
    ids = list(catalogue.index.item_ids)
    assert [scanned_item(catalogue, f" {one} ") for one in ids] == [*range(len(ids))]
    for text in (EAN, f"0{EAN}"):
        assert scanned_item(catalogue, text) == 0
    for text in (SHORT, SHORT.zfill(12), SHORT.zfill(13), SHORT.zfill(14)):
        assert scanned_item(catalogue, text) == 1


@pytest.mark.parametrize(
    "text", ["", "0", "00000000", "4006381333932", "400638133393", TWICE, "٤٠٠٦", "9" * 40, "x y"]
)
def test_what_names_none_or_several_is_unknown(catalogue, text: str) -> None:
    assert scanned_item(catalogue, text) is None
