import msgspec
import numpy as np
import pytest

from recsys.artefacts.artefact_format import load, write
from recsys.artefacts.fitted_models import arrays_of, models_of
from recsys.config import model_settings
from recsys.errors import ArtefactError, NotFittedError
from recsys.models import from_settings
from recsys.models.base import Context
from tests.recsys.artefacts.test_artefact_format import MANIFEST
from tests.recsys.models.worlds import AS_OF, checkerboard, customers_of

SETTINGS = model_settings.ModelSettings(
    als=model_settings.AlsSettings(factors=5),
    copurchase=model_settings.CoPurchaseSettings(min_support=2),
)


@pytest.fixture(scope="module")
def fitted():
    return {n: m.fit(checkerboard(12)) for n, m in from_settings(SETTINGS).items()}


def save(folder, arrays, **sections):
    sections = sections or msgspec.to_builtins(SETTINGS)
    write(folder, arrays, msgspec.structs.replace(MANIFEST, settings={"models": sections}))
    return load(folder)


def test_models_answer_from_an_artefact_as_they_did_before(fitted, tmp_path):
    again = models_of(save(tmp_path / "v", arrays_of(fitted)))
    assert again.keys() == fitted.keys()
    everyone = customers_of(checkerboard(12))
    context = Context.of(len(everyone), AS_OF, location=11, channel=0)
    for name, model in fitted.items():
        assert again[name].settings == model.settings
        for one, other in zip(
            model.recommend(everyone, 5, context),
            again[name].recommend(everyone, 5, context),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)


def test_a_missing_array_is_named(fitted, tmp_path):
    arrays = arrays_of(fitted)
    del arrays["als.gram"]
    with pytest.raises(ArtefactError, match="the model `als` lacks its array 'gram'"):
        models_of(save(tmp_path / "v", arrays))


def test_settings_of_another_time_are_an_error(fitted, tmp_path):
    artefact = save(tmp_path / "v", arrays_of(fitted), als={"no such": 1})
    with pytest.raises(ArtefactError, match="the models' settings cannot be read"):
        models_of(artefact)


def test_what_learned_nothing_cannot_be_kept():
    with pytest.raises(NotFittedError):
        arrays_of(from_settings(SETTINGS))
