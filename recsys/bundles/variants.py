"""Tells products that are one thing from products that are bought beside each other.

Pairs of products come in; whether they are variants, sizes or kinds of one thing comes out. Called
by the modules that find bundles: two flavours of one drink sell together, and are no bundle.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.datasets import IxArray, TrainingSet
from recsys.models import text_features
from recsys.ranking import ItemSimilarity

#: Two lists of products → whether each two are one thing.
Same = Callable[[IxArray, IxArray], npt.NDArray[np.bool_]]

_UNKNOWN: Final = -1


def same_product(training: TrainingSet, similarity: ItemSimilarity | None) -> Same:
    """Return what tells products that are one thing.

    Parameters
    ----------
    training : TrainingSet
        Whose catalogue says what is a variant of what.
    similarity : ItemSimilarity, optional
        Knows titles that are nearly the same.
    """
    products = training.products
    if products is None:
        return lambda a, _: np.zeros(len(a), bool)
    names: dict[tuple[str, ...], int] = {}
    called = np.full(training.n_items, _UNKNOWN, np.int32)
    for item, title in enumerate(products.titles):
        words = text_features.unsized(title) or tuple(sorted(set(text_features.tokens(title))))
        if words:
            # In another category too: one thing may have two codes.
            called[item] = names.setdefault(words, len(names))
    family = products.family

    def same(a: IxArray, b: IxArray) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (called[a] >= 0) & (called[a] == called[b])
        found |= (family[a] >= 0) & (family[a] == family[b])
        if similarity is not None:
            for at in np.flatnonzero(~found).tolist():
                found[at] = similarity.of_pair(int(a[at]), int(b[at])) > 0
        return found

    return same
