"""Every model by its name, and the models that settings ask for.

Called by ``learning`` to fit models and by ``artefacts`` to load them.
"""

from typing import Any, Final

from recsys.models.als import Als
from recsys.models.base import Model
from recsys.models.bpr import Bpr
from recsys.models.content import Content
from recsys.models.copurchase import CoPurchase
from recsys.models.neighbours import Neighbours
from recsys.models.popular import Popular
from recsys.models.repeat import Repeat
from recsys.models.transitions import Transitions
from recsys.models.trending import Trending

#: Every model by its name, in the order in which they are fitted and shown.
MODELS: Final[dict[str, type[Model]]] = {
    model.name: model
    for model in (
        Popular,
        Trending,
        Repeat,
        CoPurchase,
        Transitions,
        Als,
        Bpr,
        Neighbours,
        Content,
    )
}


def from_settings(settings: Any) -> dict[str, Model]:
    """Return every model that is not switched off, not fitted.

    Parameters
    ----------
    settings : recsys.config.model_settings.ModelSettings
        With one section a model.
    """
    return {
        name: model(getattr(settings, name))
        for name, model in MODELS.items()
        if enabled(settings, name)
    }


def enabled(settings: Any, name: str) -> bool:
    """Whether a model is learned and asked; only what has a setting for it can be switched off.

    Parameters
    ----------
    settings : recsys.config.model_settings.ModelSettings
        With one section a model.
    name : str
        One of ``MODELS``.

    Returns
    -------
    bool
        True for a model without such a setting.
    """
    return bool(getattr(getattr(settings, name), "enabled", True))
