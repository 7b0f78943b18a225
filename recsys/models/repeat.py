"""What the customer bought before, and how likely such a thing is bought again.

Orders × products come in, one repeat rate a product comes out; a customer's own frequency is
counted when the question is asked.
"""

from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from recsys.matrices.ids import IxArray
from recsys.models.base import Floats, Model, Row, Scores, best, look_up
from recsys.settings import Repeat as Settings

if TYPE_CHECKING:
    from recsys.matrices.baskets import Training

#: Buyers of doubt: how many a product needs to count as much as its category, and a category as
#: much as everything.
SHRINKAGE: Final = 20.0


class Repeat(Model):
    """The customer's own decayed frequency, damped for what is bought once in a lifetime.

    The score of product ``i`` is ``sqrt(r_i) sum_b 2 ** -(age of b / half life)`` over the
    customer's baskets ``b`` with ``i`` that were not returned. ``r_i`` is the share of its
    buyers who bought it again, shrunk to the share in its category, which is shrunk to the share
    in all. The root is a compromise: ``r_i`` itself would count against what this customer buys
    again and again, though others do not.

    Parameters
    ----------
    settings : recsys.settings.Repeat

    Attributes
    ----------
    rate_ : ndarray of shape (n_items,), float32
        ``r_i``, in (0, 1].
    """

    name: ClassVar[str] = "repeat"
    learned: ClassVar[tuple[str, ...]] = ("rate_",)

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "Training") -> Self:
        """Count who bought again; see ``Model.fit``."""
        baskets = training.baskets
        times = baskets.by_customer(np.ones(len(baskets.ts)))
        n = training.n_items
        buyers = _summed(times.indices, np.ones(times.nnz), n)
        again = _summed(times.indices, (times.data > 1).astype(np.float64), n)
        # Products without a category share one, the last.
        category = training.category.copy()
        category[category < 0] = category.max(initial=-1) + 1
        everywhere = np.asarray((again.sum() + 1) / (buyers.sum() + 2), np.float64)
        in_category = _shrunk(_summed(category, buyers), _summed(category, again), everywhere)
        self.rate_ = _shrunk(buyers, again, in_category[category]).astype(np.float32)
        return self

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.rate_)

    def _own(self, row: Row) -> tuple[IxArray, Scores]:
        items, times = row.frequency(self.settings.half_life_days)
        score = times * np.sqrt(self.rate_[items])
        scores = score.astype(np.float32)
        known = scores > 0  # not so old that nothing is left
        return items[known], scores[known]

    def _best(self, row: Row, n: int) -> tuple[IxArray, Scores]:
        return best(*row.once(self._own), n)

    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        return look_up(*row.once(self._own), item_ix)


def _summed(ix: IxArray, weight: Floats, n: int = 0) -> Floats:
    return np.asarray(np.bincount(ix, weight, minlength=n), np.float64)


def _shrunk(buyers: Floats, again: Floats, prior: Floats) -> Floats:
    return (again + SHRINKAGE * prior) / (buyers + SHRINKAGE)
