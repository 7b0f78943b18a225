"""Bought together: each product's neighbours in one basket, and with one customer.

Orders × products come in; neighbours with their evidence come out. What lies in the cart speaks for
what joins it in baskets, and what a customer bought lately for what the same customers buy within
some weeks.
"""

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

import numpy as np

from recsys.config import CoPurchaseSettings as Settings
from recsys.datasets import Batch, IxArray, Lists, Ragged, decay, rows_contain, rows_of
from recsys.models.base import Model, Recommendations, Scores
from recsys.models.kernels.lifts import lifts_of
from recsys.models.kernels.votes import (
    ItemVotes,
    item_votes,
    no_votes,
    strongest_voters,
    top_voted,
    votes_for,
)
from recsys.units import DAY

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

#: Powers of the number of baskets that hold a product and its neighbour. The neighbour's is what
#: keeps the popular products from going with everything.
_OWN, _OTHERS = 0.75, 0.5

#: Power of the number of products that a customer bought in a window, against which each window
#: counts: who buys everything says little about what goes together.
_SIZE: Final = 0.5


class CoPurchaseTable(NamedTuple):
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
    """Neighbours by shrunk, popularity-controlled counts, in a basket and with a customer.

    Of products ``i`` and ``j`` in ``n_i`` and ``n_j`` baskets, ``n_ij`` of them the same, ``j``
    is a neighbour of ``i`` in baskets with ``n_ij / (n_i^0.75 n_j^0.5) * n_ij / (n_ij +
    shrinkage)``. That lies between the confidence, which names the popular products beside
    everything, and the lift, which names coincidences of rare ones; it has a direction. The last
    factor doubts pairs that few baskets speak for. This is what a cart and a product page are
    answered from.

    A customer's history is answered from what customers buy within ``window_days`` of each
    other: all that a customer bought in a window counts as one basket. Windows end at ``as_of``,
    count half after ``memory_days``, and are divided by the root of their size; the similarity
    is the cosine of these weighed counts. A product of the history counts half
    ``half_life_days`` after it was last bought.

    Doubt made the lists of windows worse on validation windows of a grocer and of a wholesaler,
    so ``min_support`` alone keeps chance out there.

    A candidate's score is the sum of its similarities to the products of the history and to
    those in the cart; what lies in the cart does not speak a second time from the history.

    Parameters
    ----------
    settings : recsys.config.model_settings.CoPurchaseSettings

    Attributes
    ----------
    n_baskets_ : ndarray of shape (), int64
    baskets_ : ndarray of shape (n_items,), int32
        Baskets that hold each product.
    indptr_ : ndarray of shape (n_items + 1,), int64
    indices_ : ndarray, int32
        Neighbours of each product in baskets, ascending, at most ``neighbours``.
    scores_ : ndarray, float32
        Similarity of each.
    support_ : ndarray, int32
        Baskets that hold both.
    confidence_ : ndarray, float32
        Share of the product's baskets that hold the neighbour.
    lift_ : ndarray, float32
        Support over what chance would give.
    within_indptr_, within_indices_, within_scores_ : ndarray
        As ``indptr_``, ``indices_`` and ``scores_``, with one customer within a window.
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
        "within_indptr_",
        "within_indices_",
        "within_scores_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Count the pairs; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its orders: what stands together in one, or in those of one customer in a window.

        Returns
        -------
        Self
            This model.
        """
        from recsys.models.kernels.nearest_items import (
            directed_pairs,
            nearest_items,
            neighbour_table,
        )
        from recsys.models.kernels.pair_counts import count_pairs

        items, settings = training.baskets.items, self.settings
        self.n_baskets_ = np.asarray(items.shape[0], np.int64)
        self.baskets_ = np.bincount(items.indices, minlength=training.n_items).astype(np.int32)
        held, n_baskets = self.baskets_.astype(np.float64), float(items.shape[0])
        counts = count_pairs(items, settings.min_support, threads=training.threads)
        parts = (
            directed_pairs(part, held**_OWN, held**_OTHERS, settings.shrinkage) for part in counts
        )
        near = nearest_items(parts, training.n_items, settings.neighbours)
        self.indptr_, self.indices_, self.scores_ = neighbour_table(near, training.n_items)
        self.support_ = near.support
        self.confidence_ = (near.support / held[near.a]).astype(np.float32)
        self.lift_ = (near.support * n_baskets / (held[near.a] * held[near.b])).astype(np.float32)
        self._fit_within(training)
        return self

    def _fit_within(self, training: "TrainingSet") -> None:
        """Count the pairs that one customer bought within a window."""
        from recsys.models.kernels.nearest_items import (
            directed_pairs,
            nearest_items,
            neighbour_table,
        )
        from recsys.models.kernels.pair_counts import MAX_WEIGHT, count_pairs

        settings, baskets = self.settings, training.baskets
        age_days = np.maximum(training.as_of_ts - baskets.ts, 0) // DAY
        window = (age_days // settings.window_days).astype(np.int64)
        # An order of somebody unknown is a window by itself.
        alone = np.arange(len(baskets.ts)) * (baskets.customer < 0)
        keys = np.stack([baskets.customer, window * (baskets.customer >= 0), alone], axis=1)
        _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        units = baskets.summed(group.ravel(), len(first), np.ones(len(group)))
        sizes = np.maximum(np.diff(units.indptr), 1)
        age = window[first] * settings.window_days / settings.memory_days
        weight = np.exp2(-age) * sizes**-_SIZE
        pairs_of = weight[sizes > 1]
        scale = MAX_WEIGHT / pairs_of.max() if len(pairs_of) else 1.0
        # The oldest windows still count one: a shop without newer ones has nothing else.
        weights = np.clip(np.rint(weight * scale), 1, MAX_WEIGHT).astype(np.uint8)
        each = np.repeat(weights, np.diff(units.indptr))
        root = np.sqrt(np.bincount(units.indices, each, training.n_items))
        counts = count_pairs(units, settings.min_support, weights, threads=training.threads)
        parts = (directed_pairs(part, root, root, 0.0) for part in counts)
        near = nearest_items(parts, training.n_items, settings.neighbours)
        found = neighbour_table(near, training.n_items)
        self.within_indptr_, self.within_indices_, self.within_scores_ = found

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.baskets_)

    def bought_together(self, item_ix: int, n: int) -> CoPurchaseTable:
        """Find what goes with one product, for a product page.

        Parameters
        ----------
        item_ix : int
            The product, in ``[0, n_items)``.
        n : int
            Products wanted, at most ``neighbours`` of the settings.

        Returns
        -------
        CoPurchaseTable
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
        return CoPurchaseTable(
            items[order],
            self.support_[part][order],
            self.confidence_[part][order],
            self.lift_[part][order],
            scores[order],
        )

    def lifts(self, item_ix: IxArray, others: IxArray) -> Scores:
        """Say how many times as often as by chance products lie in one basket.

        Parameters
        ----------
        item_ix, others : ndarray of shape (n,), int32
            Pairs of products.

        Returns
        -------
        ndarray of shape (n,), float32
            NaN where the second is no neighbour of the first.
        """
        self._check()
        return lifts_of((self.indptr_, self.indices_, self.lift_), item_ix, others)

    def because(self, batch: Batch, items: Ragged) -> IxArray:
        """Return the product of the history or the cart with the strongest vote for each given one.

        Parameters
        ----------
        batch : Batch
        items : Ragged
            The products of each row to be explained.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, int32
            -1 for a product without votes.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check(batch.histories, batch.context)
        indptr, item_ix = np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32)
        evidence = batch.once(self._evidence, lambda: self._evidence(batch))
        return strongest_voters(*evidence, (indptr, item_ix), self.n_items)

    def _evidence(self, batch: Batch) -> tuple[ItemVotes, ItemVotes]:
        """Votes of the history, and votes of the cart."""
        found, past, carts = batch.histories.bought, batch.histories, batch.context.cart
        latest = past.ts[found.line[found.starts[1:] - 1]]
        rows = rows_of(found)
        weight = decay(latest, batch.context.as_of_ts[rows], self.settings.half_life_days)
        within = self.within_indptr_, self.within_indices_, self.within_scores_
        if not len(carts.item_ix):
            return item_votes(found.indptr, found.item_ix, weight, within), no_votes(len(batch))
        weight[rows_contain(carts, rows, found.item_ix)] = 0.0
        carts = Lists.of_pairs(rows_of(carts), carts.item_ix, len(batch))  # each product once
        baskets = self.indptr_, self.indices_, self.scores_
        return (
            item_votes(found.indptr, found.item_ix, weight, within),
            item_votes(carts.indptr, carts.item_ix, np.ones(len(carts.item_ix)), baskets),
        )

    def _top(self, batch: Batch, n: int) -> Recommendations:
        evidence = batch.once(self._evidence, lambda: self._evidence(batch))
        return top_voted(*evidence, self.n_items, n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        evidence = batch.once(self._evidence, lambda: self._evidence(batch))
        return votes_for(*evidence, items.indptr, items.item_ix, self.n_items)
