"""Groups products that a shopper cannot distinguish into choices, by the history's catalogue.

In: a history, a training set and settings. Out: ``Choices`` in the order of the training set's
index. Called by training, which stores them in the artefact, and by evaluations by choice.
"""

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import TrainSettings
from recsys.datasets import TrainingSet
from recsys.history import History
from recsys.ranking import Choices

#: Attribute of a product that names its choice in the catalogue.
CHOICE: Final = "choice_id"
_READ: Final = ("title", "brand", "price_minor", "attributes")


def choices_of(history: History, training: TrainingSet, settings: TrainSettings) -> Choices:
    """Group the products of a training set into choices.

    Parameters
    ----------
    history : History
        Its catalogue has titles and prices.
    training : TrainingSet
    settings : recsys.config.settings.TrainSettings
    """
    table = history.table("products")
    at = pc.index_in(pa.array(training.index.item_ids, pa.string()), value_set=table["item_id"])
    columns = {name: table[name].take(at).to_pylist() for name in _READ}
    products = training.products
    alone = np.full(training.n_items, -1, np.int32)
    return Choices.learn(
        columns["title"],
        columns["brand"],
        columns["price_minor"],
        alone if products is None else products.family,
        [_named(text) for text in columns["attributes"]],
        np.bincount(training.baskets.items.indices, minlength=training.n_items),
        settings.choice_price_ratio,
    )


def _named(attributes: str | None) -> str | None:
    """Return the choice that a product's attributes name."""
    if not attributes or CHOICE not in attributes:
        return None
    decoded: dict[str, Any] = msgspec.json.decode(attributes)
    name = decoded.get(CHOICE)
    return None if name is None else str(name)
