"""Numbers become item-side arrays."""

from typing import Any, Final

from recsys.models.als import Als
from recsys.models.base import Model
from recsys.models.content import Content
from recsys.models.copurchase import CoPurchase
from recsys.models.neighbours import Neighbours
from recsys.models.popular import Popular
from recsys.models.repeat import Repeat
from recsys.models.trending import Trending

__all__ = [
    "MODELS",
    "Als",
    "CoPurchase",
    "Content",
    "Model",
    "Neighbours",
    "Popular",
    "Repeat",
    "Trending",
    "from_settings",
]

#: Every model by its name, in the order in which they are fitted and shown.
MODELS: Final[dict[str, type[Model]]] = {
    model.name: model for model in (Popular, Trending, Repeat, CoPurchase, Als, Neighbours, Content)
}


def from_settings(settings: Any) -> dict[str, Model]:
    """Return every model, not fitted, with its section of ``recsys.settings.Models``."""
    return {name: model(getattr(settings, name)) for name, model in MODELS.items()}
