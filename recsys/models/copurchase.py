"""Bought together: each product's neighbours by how often they lay in one basket.

Orders × products come in; neighbours with their evidence, and the strongest pairs for bundles,
come out. What a customer bought lately and what lies in the cart speaks for its neighbours.
"""

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.matrices.histories import Histories
from recsys.matrices.ids import IxArray
from recsys.matrices.lists import Ragged
from recsys.models.base import Context, Floats, Model, Row, Scores, best, look_up, rows
from recsys.settings import CoPurchase as Settings

if TYPE_CHECKING:
    from recsys.matrices.baskets import Training
    from recsys.models.pairs import Counts

#: Pairs kept for bundles.
MAX_PAIRS: Final = 5_000

#: One pair of products, ``item_a < item_b``.
PAIRS: Final = np.dtype(
    [
        ("item_a", "<i4"),
        ("item_b", "<i4"),
        ("support", "<i4"),  # baskets that hold both
        ("confidence_ab", "<f4"),  # share of the baskets with a that hold b
        ("confidence_ba", "<f4"),
        ("lift", "<f4"),  # support / what chance would give
        ("score", "<f4"),  # support x ln(lift)
    ]
)

#: Up to this many products per entry, an array over all of them is cheaper than sorting.
_DENSE: Final = 32


class Together(NamedTuple):
    """Products that go with one product, best first, with the evidence.

    Attributes
    ----------
    item_ix : ndarray of shape (n,), int32
    support : ndarray of shape (n,), int32
        Baskets that hold both.
    confidence : ndarray of shape (n,), float32
        Share of the product's baskets that hold the other one, too.
    lift : ndarray of shape (n,), float32
        Support over what chance would give.
    score : ndarray of shape (n,), float32
        What they are ordered by: falling, equal ones by ``item_ix``.
    """

    item_ix: IxArray
    support: IxArray
    confidence: Scores
    lift: Scores
    score: Scores


class CoPurchase(Model):
    """Neighbours by shrunk cosine.

    Of products ``i`` and ``j`` in ``n_i`` and ``n_j`` baskets, ``n_ij`` of them the same, the
    similarity is ``n_ij / sqrt(n_i n_j) * n_ij / (n_ij + shrinkage)``. The cosine is the
    geometric mean of both confidences: confidence alone names the popular products for
    everything, lift alone names coincidences of rare ones. The second factor doubts pairs that
    few baskets speak for. A candidate's score is the sum of its similarities to the products
    of the history, each counting half ``half_life_days`` after it was last bought, and to
    those in the cart, which count as bought now.

    Parameters
    ----------
    settings : recsys.settings.CoPurchase

    Attributes
    ----------
    n_baskets_ : ndarray of shape (), int64
    baskets_ : ndarray of shape (n_items,), int32
        Baskets that hold each product.
    indptr_ : ndarray of shape (n_items + 1,), int64
    indices_ : ndarray, int32
        Neighbours of each product, ascending, at most ``neighbours``.
    scores_ : ndarray, float32
        Similarity of each.
    support_ : ndarray, int32
        Baskets that hold both.
    confidence_ : ndarray, float32
        Share of the product's baskets that hold the neighbour.
    lift_ : ndarray, float32
        Support over what chance would give.
    pairs_ : ndarray of PAIRS, at most ``MAX_PAIRS``
        With lift above 1, by falling ``support x ln(lift)``.
    """

    name: ClassVar[str] = "copurchase"
    learned: ClassVar[tuple[str, ...]] = (
        "n_baskets_",
        "baskets_",
        "indptr_",
        "indices_",
        "scores_",
        "support_",
        "confidence_",
        "lift_",
        "pairs_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "Training") -> Self:
        """Count the pairs; see ``Model.fit``."""
        from recsys.models.pairs import Counts, count

        items = training.baskets.items
        self.n_baskets_ = np.asarray(items.shape[0], np.int64)
        self.baskets_ = np.bincount(items.indices, minlength=training.n_items).astype(np.int32)
        found = [tuple(np.empty(0, np.int32) for _ in range(3))]
        pairs = [np.empty(0, PAIRS)]
        for counts in count(items, self.settings.min_support, threads=training.threads):
            found.append(counts[:3])
            pairs.append(_strongest(self._pairs(counts)))
        one, other, support = (np.concatenate(part) for part in zip(*found, strict=True))
        a, b, support = np.append(one, other), np.append(other, one), np.append(support, support)
        order = np.lexsort((b, a))
        nearest = self._nearest(Counts(a[order], b[order], support[order], support[order]))
        a, self.indices_, self.scores_, self.support_, self.confidence_, self.lift_ = nearest
        per_item = np.bincount(a, minlength=training.n_items)
        self.indptr_ = np.concatenate([[0], np.cumsum(per_item)]).astype(np.int64)
        self.pairs_ = _strongest(np.concatenate(pairs))
        return self

    def _nearest(
        self, counts: "Counts"
    ) -> tuple[IxArray, IxArray, Scores, IxArray, Scores, Scores]:
        """The best neighbours of each product of a block, with their evidence."""
        a, b, support, _ = counts
        n_a, n_b = (self.baskets_[ix].astype(np.float64) for ix in (a, b))
        similarity = support / np.sqrt(n_a * n_b) * support / (support + self.settings.shrinkage)
        scores = similarity.astype(np.float32)
        order = np.lexsort((b, -scores, a))
        first = np.searchsorted(a, a)  # a ascends, and so it does in this order
        top = np.sort(order[np.arange(len(order)) - first < self.settings.neighbours])
        confidence = (support / n_a).astype(np.float32)
        lift = (support * float(self.n_baskets_) / (n_a * n_b)).astype(np.float32)
        return a[top], b[top], scores[top], support[top], confidence[top], lift[top]

    def _pairs(self, counts: "Counts") -> npt.NDArray[np.void]:
        """Pairs of a block that are bought together more often than by chance."""
        a, b, support, _ = counts
        n_a, n_b = (self.baskets_[ix].astype(np.float64) for ix in (a, b))
        lift = support * float(self.n_baskets_) / (n_a * n_b)
        keep = np.flatnonzero(lift > 1)
        pairs = np.empty(len(keep), PAIRS)
        pairs["item_a"], pairs["item_b"], pairs["support"] = a[keep], b[keep], support[keep]
        pairs["confidence_ab"] = (support / n_a)[keep]
        pairs["confidence_ba"] = (support / n_b)[keep]
        pairs["lift"] = lift[keep]
        pairs["score"] = (support * np.log(lift))[keep]
        return pairs

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.baskets_)

    def bought_together(self, item_ix: int, n: int) -> Together:
        """Find what goes with one product, for a product page.

        Parameters
        ----------
        item_ix : int
            The product, in ``[0, n_items)``.
        n : int
            Products wanted, at most ``neighbours`` of the settings.

        Returns
        -------
        Together
            Fewer where fewer go with it; of a product that nothing goes with, none.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        IndexError
            When the catalogue has no such product.
        """
        self._check()
        if not 0 <= item_ix < self.n_items:
            raise IndexError(f"product {item_ix} of a catalogue of {self.n_items}.")
        part = slice(self.indptr_[item_ix], self.indptr_[item_ix + 1])
        items, scores = self.indices_[part], self.scores_[part]
        order = np.lexsort((items, -scores))[:n]
        return Together(
            items[order],
            self.support_[part][order],
            self.confidence_[part][order],
            self.lift_[part][order],
            scores[order],
        )

    def because(self, histories: Histories, context: Context, items: Ragged) -> IxArray:
        """Say which product of the history or the cart speaks loudest for each given one.

        Parameters
        ----------
        histories : Histories
        context : Context
            Of the same length.
        items : Ragged
            The products of each row to be explained.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, int32
            -1 where nothing speaks for a product.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check(histories, context)
        item_ix = np.asarray(items.item_ix, np.int32)
        reasons = np.full(len(item_ix), -1, np.int32)
        bounds = items.indptr.tolist()
        for r, row in enumerate(rows(histories, context)):
            wanted = item_ix[bounds[r] : bounds[r + 1]]
            source, candidate, amount = self._evidence(row)
            order = np.lexsort((source, -amount, candidate))
            found, first = np.unique(candidate[order], return_index=True)
            by_item = source[order][first]
            at = np.minimum(np.searchsorted(found, wanted), max(len(found) - 1, 0))
            if len(found):
                loudest = np.where(found[at] == wanted, by_item[at], -1)
                reasons[bounds[r] : bounds[r + 1]] = loudest
        return reasons

    def _evidence(self, row: Row) -> tuple[IxArray, IxArray, Floats]:
        """What speaks, for which product, and how loud."""
        spoken = np.concatenate([row.item_ix, row.cart])[::-1]
        decay = row.decay(self.settings.half_life_days)
        loud = np.concatenate([decay, np.ones(len(row.cart))])[::-1]
        # Lines are in time order and the cart is now: the first from behind is the latest.
        items, latest = np.unique(spoken, return_index=True)
        starts = self.indptr_[items]
        lengths = self.indptr_[items + 1] - starts
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
        amount = np.repeat(loud[latest], lengths) * self.scores_[at]
        return np.repeat(items, lengths), self.indices_[at], amount

    def _sums(self, row: Row) -> tuple[IxArray, Scores]:
        """Every product with evidence, ascending, and its score."""
        _, candidate, amount = self._evidence(row)
        # Both ways add in the order of the evidence, so they agree to the last bit.
        if self.n_items <= _DENSE * len(candidate):
            total = np.bincount(candidate, amount).astype(np.float32)
            found = np.flatnonzero(total > 0).astype(np.int32)
            return found, total[found]
        found, position = np.unique(candidate, return_inverse=True)
        total = np.bincount(position, amount, minlength=len(found)).astype(np.float32)
        return found[total > 0], total[total > 0]

    def _best(self, row: Row, n: int) -> tuple[IxArray, Scores]:
        return best(*self._sums(row), n)

    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        return look_up(*self._sums(row), item_ix)


def _strongest(pairs: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    order = np.lexsort((pairs["item_b"], pairs["item_a"], -pairs["score"]))
    return pairs[order[:MAX_PAIRS]]
