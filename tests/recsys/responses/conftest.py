"""The ranking tests' grocer as an artefact on disk, and an engine on it."""

from datetime import UTC, datetime

import msgspec
import pytest

from recsys.matrices.ids import item_key
from recsys.persistence import artefact
from recsys.persistence.artefact import Manifest
from recsys.persistence.fitted import arrays_of
from recsys.responses.catalogue import tables
from recsys.responses.engine import CART_BLEND, PLAIN_BLEND, SHELF, Engine
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking import grocer

NAMELESS = "item007"


def parts():
    plain, cart = grocer.blends()
    found = arrays_of(grocer.fitted())
    for prefix, arrays in (
        (PLAIN_BLEND, plain.arrays()), (CART_BLEND, cart.arrays()),
        (SHELF, grocer.shelf().arrays()),
    ):  # fmt: skip
        found |= {f"{prefix}.{name}": array for name, array in arrays.items()}
    return found


def catalogue():
    ids = grocer.training().index.item_ids
    return tables(
        grocer.training().index,
        {
            "title": [None if name == NAMELESS else name.title() for name in ids],
            "price_minor": [None if name == NAMELESS else item_key(name) % 900 for name in ids],
            "currency": ["EUR"] * len(ids),
            **{name: [None] * len(ids) for name in ("department", "category", "brand")},
        },
        {
            "location_id": [grocer.WAREHOUSE, grocer.STORE],
            "name": ["The web shop", None],
            "kind": ["online", "store"],
        },
    )


def write(folder, arrays=None, columns=None):
    at = datetime.fromtimestamp(AS_OF, UTC)
    models = {name: model.settings for name, model in grocer.fitted().items()}
    manifest = Manifest(
        created=at, as_of=at, fingerprint="v1",
        settings={"models": msgspec.to_builtins(models)},
    )  # fmt: skip
    artefact.write(folder, arrays or parts(), manifest, columns or catalogue())
    return folder


@pytest.fixture(scope="session")
def artefact_folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("artefacts") / "v1")


@pytest.fixture(scope="session")
def engine(artefact_folder):
    return Engine.load(artefact_folder)
