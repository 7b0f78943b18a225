"""Converts fitted models to arrays of an artefact, and back.

Called by training to write them, and by ``recommender`` and notebooks to read them.
"""

from collections.abc import Mapping

import msgspec

from recsys.artefacts.artefact_format import Array, Artefact
from recsys.config import model_settings
from recsys.errors import ArtefactError
from recsys.messages import unreadable
from recsys.models import MODELS, Model, enabled


def arrays_of(models: Mapping[str, Model]) -> dict[str, Array]:
    """Return the learned arrays of the models, by ``<model>.<array>``.

    Parameters
    ----------
    models : mapping of str to Model
        Fitted, by their names in ``MODELS``.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    NotFittedError
        When one of them is not fitted.
    """
    return {
        f"{name}.{array}": values
        for name, model in models.items()
        for array, values in model.arrays().items()
    }


def models_of(artefact: Artefact) -> dict[str, Model]:
    """Rebuild the models of an artefact with the settings of their training.

    Nothing is copied: the models read the mapped files.

    Parameters
    ----------
    artefact : Artefact
        Holds the result of ``arrays_of``, and the settings in its manifest.

    Returns
    -------
    dict of str to Model
        The enabled models, fitted, by name.

    Raises
    ------
    ArtefactError
        When a model's settings or arrays are missing.
    """
    where = artefact.folder
    try:
        sections = msgspec.convert(
            artefact.manifest.settings.get("models"), model_settings.ModelSettings
        )
    except msgspec.ValidationError as error:
        why = unreadable(error)
        raise ArtefactError(f"{where}: the models' settings cannot be read: {why}.") from None
    models: dict[str, Model] = {}
    for name, model in MODELS.items():
        if not enabled(sections, name):
            continue
        try:
            models[name] = model.from_arrays(getattr(sections, name), artefact.part(name))
        except KeyError as error:
            raise ArtefactError(
                f"{where}: the model `{name}` lacks its array {error}. Run `omnibasket train` to "
                "make a new artefact."
            ) from None
    return models
