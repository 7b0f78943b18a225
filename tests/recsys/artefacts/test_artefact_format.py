import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from msgspec.structs import replace

from recsys.artefacts.artefact_format import FORMAT, Manifest, load, write
from recsys.datasets.text_arrays import TextArray
from recsys.errors import ArtefactError

MANIFEST = Manifest(
    created=datetime(2026, 3, 1, 12, tzinfo=UTC),
    as_of=datetime(2026, 2, 28, tzinfo=UTC),
    fingerprint="history-7",
    settings={"models": {"als": {"factors": 4}}},
    metrics={"ndcg@10": np.float64(0.25), "by_channel": np.array([1, 2])},
)
ARRAYS = {
    "als.factors": np.arange(12, dtype=np.float32).reshape(4, 3).T,  # not row by row
    "copurchase.n": np.asarray(7),
    "copurchase.pairs": np.zeros(3, [("a", "<i4"), ("lift", "<f4")]),
    "empty": np.empty((0, 4), np.int32),
}
TABLES = {
    "products": {
        "item_id": ["a", "b"],
        "title": TextArray.of(["Tea", None]),
        "price": np.array([5, 6]),
    }
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "v1", ARRAYS, MANIFEST, TABLES)
    return tmp_path / "v1"


@pytest.mark.parametrize("verify", [True, False])
def test_an_artefact_comes_back(folder, verify):
    artefact = load(folder, verify=verify)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(artefact.array(name), array)
        assert artefact.array(name).dtype == array.dtype
    assert artefact.version == "v1"
    assert artefact.manifest.as_of == MANIFEST.as_of
    assert artefact.manifest.metrics == {"ndcg@10": 0.25, "by_channel": [1, 2]}
    assert set(artefact.part("copurchase")) == {"n", "pairs"}


def test_tables_come_back(folder):
    artefact = load(folder)
    table = artefact.table("products")
    assert set(table) == {"item_id", "title", "price"}
    assert table["title"] == ["Tea", ""]
    assert table["price"].tolist() == [5, 6]
    assert artefact.texts("products.item_id") == ["a", "b"]
    assert artefact.table("no such table") == {}


def test_arrays_are_mapped_and_cannot_be_changed(folder):
    array = load(folder).array("als.factors")
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_the_manifest_says_what_there_is(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format_version"] == FORMAT
    assert manifest["libraries"]["numpy"] == np.__version__
    assert manifest["files"]["als.factors"]["shape"] == [3, 4]
    assert manifest["files"]["als.factors"]["dtype"] == "<f4"
    assert len(manifest["files"]["als.factors"]["sha256"]) == 64
    assert manifest["created"] == "2026-03-01T12:00:00Z"


def test_the_same_gives_the_same_bytes(folder, tmp_path):
    again = tmp_path / "v2"
    write(again, ARRAYS, MANIFEST, TABLES)
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def edit(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(bytes(content))


def flip(content):
    content[-3] ^= 1


def cut(content):
    del content[-1:]


@pytest.mark.parametrize(
    ("change", "message"), [(flip, "contents have changed"), (cut, "damaged: .* bytes instead")]
)
def test_a_damaged_array_is_named(folder, change, message):
    edit(folder / "als.factors.npy", change)
    with pytest.raises(ArtefactError, match=rf"als\.factors\.npy.*{message}.*omnibasket train"):
        load(folder)


def test_a_cut_array_is_seen_without_reading_it(folder):
    edit(folder / "als.factors.npy", cut)
    with pytest.raises(ArtefactError, match="bytes instead of"):
        load(folder, verify=False)


def test_an_array_of_another_shape_is_named(folder):
    np.save(folder / "als.factors.npy", np.zeros((4, 3), np.float32))
    with pytest.raises(ArtefactError, match=r"holds <f4 \[4, 3\], the manifest says <f4 \[3, 4\]"):
        load(folder, verify=False)


def test_an_array_that_is_none_is_named(folder):
    path = folder / "als.factors.npy"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(ArtefactError, match=r"als\.factors\.npy: cannot be read"):
        load(folder, verify=False)


def test_a_missing_array_is_named(folder):
    (folder / "als.factors.npy").unlink()
    with pytest.raises(ArtefactError, match=r"als\.factors\.npy: missing"):
        load(folder)


def test_a_folder_without_a_manifest_is_no_artefact(tmp_path):
    with pytest.raises(ArtefactError, match=r"manifest\.json: missing, so this is not an artefact"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "format None"),
        ('{"format_version": 99}', "format 99, this version reads 1"),
        ('{"format_version": 1}', "damaged.*created"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(folder, text, message):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ArtefactError, match=rf"manifest\.json: {message}"):
        load(folder)


def test_a_manifest_cannot_point_outside(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"als.factors"', '"../../secret"'))
    with pytest.raises(ArtefactError, match="not a valid array name"):
        load(folder)


def test_an_array_that_is_not_there_is_an_error(folder):
    with pytest.raises(ArtefactError, match=r"has no array `als\.users`"):
        load(folder).array("als.users")


@pytest.mark.parametrize(
    ("arrays", "tables", "message"),
    [
        ({"Als": np.zeros(1)}, {}, "small letters"),
        ({"../x": np.zeros(1)}, {}, "small letters"),
        ({"a": np.array([object()])}, {}, "holds objects"),
        ({}, {"t": {"a": ["x"], "b": np.zeros(2)}}, "columns of different lengths"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, arrays, tables, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "v", arrays, MANIFEST, tables)
    assert not (tmp_path / "v").exists()


def test_a_manifest_of_odd_things_is_refused(tmp_path):
    with pytest.raises(TypeError, match="cannot hold a function"):
        write(tmp_path / "v", {}, replace(MANIFEST, details={"f": flip}))


FRESH = """
import sys
from pathlib import Path

from recsys.datasets.customer_history import EMPTY, Histories
from recsys.datasets.item_index import ItemIndex
from recsys.datasets.ragged import Lists
from recsys.models.base import Context
from recsys.artefacts.artefact_format import load
from recsys.artefacts.fitted_models import models_of

artefact = load(Path(sys.argv[1]))
index = ItemIndex.from_arrays(artefact.texts("products.item_id"), artefact.array("products.key"))
histories = Histories.from_rows([EMPTY], index, 10)
context = Context.of(1, 10, cart=[[0]])
for model in models_of(artefact).values():
    found = model.recommend(histories, 3, context)
    model.score(histories, context, Lists.of_rows([[0, 1]]))
learning = {"implicit", "sklearn", "joblib", "lightgbm", "scipy.sparse"}
banned = {"pyspark", "pandas", "ibis", "duckdb"} | learning
print(sorted(set(sys.modules) & banned))
"""


def test_answering_from_an_artefact_loads_no_engine_and_no_learner(tmp_path):
    from recsys.artefacts.fitted_models import arrays_of
    from recsys.config import model_settings
    from recsys.models import from_settings
    from tests.recsys.models.worlds import checkerboard

    world = checkerboard(12)
    models = from_settings(model_settings.ModelSettings(als=model_settings.AlsSettings(factors=4)))
    arrays = arrays_of({name: model.fit(world) for name, model in models.items()})
    manifest = replace(MANIFEST, settings={"models": {"als": {"factors": 4}}})
    products = {"item_id": world.index.item_ids, "key": world.index.keys}
    write(tmp_path / "v", arrays, manifest, {"products": products})
    run = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path / "v")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout == "[]\n"
