"""Attributes in an artefact: the most frequent have columns, the others are told all the same."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.artefacts import artefact_format
from recsys.artefacts.artefact_format import Manifest
from recsys.config.filters import Condition
from recsys.datasets.item_index import ItemIndex
from recsys.recommender.catalogue import Catalogue, tables
from recsys.recommender.product_attributes import MOST, Attributes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = ["a", "b", "c"]


def catalogue(folder: Path, said: dict[str, dict[str, object]]) -> Catalogue:
    """Write and load an artefact of three products."""
    index = ItemIndex(IDS)
    nothing = [None] * len(index)
    products = dict.fromkeys(("title", "price_minor", "currency"), nothing) | dict.fromkeys(
        ("department", "category", "brand"), nothing
    )
    products["attributes"] = [
        json.dumps(said[name]) if name in said else None for name in index.item_ids
    ]
    columns = tables(index, products, {"location_id": [], "name": [], "kind": []})
    manifest = Manifest(created=NOW, as_of=NOW, fingerprint="")
    artefact_format.write(folder / "v1", {}, manifest, columns)
    return Catalogue.load(artefact_format.load(folder / "v1"))


def of(found: Attributes, catalogue: Catalogue, item_id: str, *wanted: str) -> dict[str, str]:
    (ix,) = catalogue.index.ix_of([item_id]).tolist()
    return found.of(ix, wanted)


def test_an_answer_tells_pages_and_pictures_and_what_is_asked_for(tmp_path: Path) -> None:
    said: dict[str, dict[str, object]] = {
        "a": {
            "url": "https://s.test/a",
            "image_url": "javascript:alert(1)",
            "gtin": "0123",
            "Stoff": "Wolle",
            "empty": None,
        },
        "b": {"Stoff": "Seide"},
    }
    found = catalogue(tmp_path, said)
    (a, b, c) = found.index.ix_of(IDS).tolist()
    assert found.item(a) == {
        "item_id": "a",
        "title": None,
        "price": None,
        "url": "https://s.test/a",
    }
    assert found.links(b) == {}
    told = found.attributes
    assert told.of(a, ["Stoff", "gtin", "unknown"]) == {"Stoff": "Wolle", "gtin": "0123"}
    assert told.of(a, ["*"]) == {"url": "https://s.test/a", "gtin": "0123", "Stoff": "Wolle"}
    assert told.of(c, ["*"]) == {}
    assert [*told.columns] == ["gtin", "url", "Stoff"]


@pytest.mark.parametrize("extra", [0, 10])
def test_attributes_beyond_the_most_frequent_are_told_but_not_asked(
    tmp_path: Path, extra: int
) -> None:
    many: dict[str, object] = {f"f{n:03}": f"v{n}" for n in range(MOST + extra)}
    found = catalogue(tmp_path, {"a": {**many, "rare": "yes"}, "b": many})
    told = found.attributes
    assert len(told.columns) == MOST
    assert "rare" not in told.columns
    assert of(told, found, "a", "rare", "f000") == {"f000": "v0", "rare": "yes"}
    assert of(told, found, "a", "*") == {**many, "rare": "yes"}
    later = told.changed({0: {"rare": None, "other": "7", "f000": "new"}})
    assert of(later, found, "a", "rare", "other", "f000") == {"f000": "new", "other": "7"}
    assert of(told, found, "a", "rare") == {"rare": "yes"}


def test_what_is_told_of_an_attribute_that_no_product_had_can_be_asked(tmp_path: Path) -> None:
    found = catalogue(tmp_path, {})
    told = found.attributes.changed({1: {"age_restriction": "18", "url": "javascript:x"}})
    assert told.of(1, ["*"]) == {"age_restriction": "18"}
    adult = Condition("attributes.age_restriction", "ge", 16)
    assert told.columns["age_restriction"].allows(adult, found.index.ix_of(IDS)).tolist() == [
        ix == 1 for ix in found.index.ix_of(IDS).tolist()
    ]
    assert found.attributes.columns == {}
