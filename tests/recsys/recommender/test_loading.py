"""Loading an engine: what it needs of an artefact, and what it does without."""

import subprocess
import sys

import pytest

from recsys.artefacts.layout import CART_BLEND
from recsys.errors import ArtefactError
from recsys.recommender.engine import Engine
from tests.recsys.ranking.grocer import (
    PAIRS,
    training,
)
from tests.recsys.recommender.conftest import (
    catalogue,
    parts,
    write,
)


def test_the_engine_loads_nothing_that_only_training_needs(artefact_folder):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from recsys.config import PLACEMENTS\n"
        "from recsys.datasets.customer_history import EMPTY\n"
        "from recsys.recommender.engine import Engine\n"
        "from recsys.recommender.placements import Question\n"
        f"engine = Engine.load(Path({str(artefact_folder)!r}))\n"
        "asked = [Question(placement=n, settings=s, as_of_ts=9, cart=('pasta',), explain=True)\n"
        "         for n, s in PLACEMENTS.items()]\n"
        "assert engine.recommend(asked, [EMPTY] * len(asked))[0]['items']\n"
        "heavy = {'implicit', 'ibis', 'duckdb', 'pandas', 'sklearn', 'joblib', 'scipy.sparse',"
        "         'lightgbm', 'flask', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "missing",
    [
        f"{CART_BLEND}.new_weights",
        "shelf.active",
        "popular.share",
        "costs.item_minor",
        "bundles.kind",
    ],
)
def test_an_artefact_without_an_array_is_refused(tmp_path, missing):
    arrays = {name: array for name, array in parts().items() if name != missing}
    with pytest.raises(ArtefactError, match=missing.rpartition(".")[2]):
        Engine.load(write(tmp_path / "v2", arrays))


def test_an_artefact_without_a_catalogue_is_refused(tmp_path):
    columns = catalogue()
    del columns["products"]["title"]
    with pytest.raises(ArtefactError, match="title"):
        Engine.load(write(tmp_path / "v2", columns=columns))


def test_bundles_and_products_can_be_read(engine):
    found = {
        tuple(sorted(engine.item(int(item_ix))["item_id"] for item_ix in engine.bundles.members(n)))
        for n in range(4)
    }
    assert found == {tuple(sorted(pair)) for pair in PAIRS}
    assert engine.n_baskets == training().baskets.items.shape[0]
