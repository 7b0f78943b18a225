"""The ranking tests' grocer as an artefact on disk, and an engine on it."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from recsys.artefacts import artefact_format
from recsys.artefacts.artefact_format import Manifest
from recsys.artefacts.fitted_models import arrays_of
from recsys.artefacts.layout import BUNDLES, CART_BLEND, COSTS, PLAIN_BLEND, SHELF
from recsys.bundles.mining import mine
from recsys.config.settings import BundleSettings
from recsys.datasets.item_index import item_key, location_key
from recsys.ranking.margins import UNKNOWN_MINOR, Costs
from recsys.recommender.catalogue import tables
from recsys.recommender.engine import Engine
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking import grocer

NAMELESS = "item007"


#: Sold below its cost; in the store alone; costs nobody knows what.
LOSS, DEAR, UNTOLD = "butter", "sauce", "tea"


def price(name):
    return None if name == NAMELESS else 100 + item_key(name) % 800


def costs():
    """Two thirds of the price, but for a few."""
    index = grocer.training().index
    of = {name: (price(name) or 0) * 2 // 3 for name in index.item_ids}
    of |= {LOSS: price(LOSS) + 50, UNTOLD: UNKNOWN_MINOR}
    item_minor = np.array([of[name] for name in index.item_ids])
    store = np.array([location_key(grocer.STORE)])
    return Costs.build(item_minor, store, index.ix_of([DEAR]), np.array([2000]))


def parts():
    plain, cart = grocer.blends()
    found = arrays_of(grocer.fitted())
    for prefix, arrays in (
        (PLAIN_BLEND, plain.arrays()),
        (CART_BLEND, cart.arrays()),
        (SHELF, grocer.availability().arrays()),
        (COSTS, costs().arrays()),
        (BUNDLES, mine(grocer.training(), BundleSettings()).arrays()),
    ):
        found |= {f"{prefix}.{name}": array for name, array in arrays.items()}
    return found


def catalogue():
    ids = grocer.training().index.item_ids
    return tables(
        grocer.training().index,
        {
            "title": [None if name == NAMELESS else name.title() for name in ids],
            "price_minor": [price(name) for name in ids],
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
        created=at,
        as_of=at,
        fingerprint="v1",
        settings={"models": msgspec.to_builtins(models)},
    )
    artefact_format.write(folder, arrays or parts(), manifest, columns or catalogue())
    return folder


@pytest.fixture(scope="session")
def artefact_folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("artefacts") / "v1")


@pytest.fixture(scope="session")
def engine(artefact_folder):
    return Engine.load(artefact_folder)
