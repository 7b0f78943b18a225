"""Bought next: what lies in the order after one that held a product.

Orders × products come in; each product's successors come out. What a customer's last orders held
votes for what their next one holds.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from recsys.config import TransitionsSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists, Ragged, compiled, fixed
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.lifts import lifts_of
from recsys.models.kernels.top_k import scores_in_lists, top_of_lists
from recsys.models.kernels.votes import (
    ItemVotes,
    item_votes,
    no_votes,
    strongest_voters,
    sum_votes,
)

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

#: Powers of the orders that hold a product and its successor; as for what lies in one basket.
_OWN, _OTHERS = 0.75, 0.5
#: What the last order counts, the one before it, and so on.
STEPS: Final = (1.0, 0.6, 0.36)


class Transitions(Model):
    """Successors by shrunk, popularity-controlled counts of one order and the next [1]_.

    Of products ``i`` and ``j`` in ``n_i`` and ``n_j`` orders of known customers, ``j`` followed
    ``i`` in ``n_ij`` pairs of one customer's consecutive orders. The similarity is
    ``n_ij / (n_i^0.75 n_j^0.5) * n_ij / (n_ij + shrinkage)``; it has a direction. A candidate's
    score is the sum over the products of the last three orders, the latest counting most.

    A product does not follow itself here: that is what the model `repeat` is for.

    Parameters
    ----------
    settings : recsys.config.model_settings.TransitionsSettings

    Attributes
    ----------
    indptr_ : ndarray of shape (n_items + 1,), int64
    indices_ : ndarray, int32
        Successors of each product, ascending, at most ``neighbours``.
    scores_ : ndarray, float32
        Similarity of each.
    lift_ : ndarray, float32
        Times as often as by chance that the successor lies in the order after one that held the
        product: ``n_ij n / (n_i n_j)``, of ``n`` pairs of orders.

    References
    ----------
    .. [1] Rendle, Freudenthaler, Schmidt-Thieme (2010), Factorizing personalized Markov chains
       for next-basket recommendation, WWW.
    """

    name: ClassVar[str] = "transitions"
    learned: ClassVar[tuple[str, ...]] = ("indptr_", "indices_", "scores_", "lift_")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Count what follows what; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its orders by known customers, each with the customer's next one.

        Returns
        -------
        Self
            This model.
        """
        from recsys.models.kernels.nearest_items import (
            DirectedPairs,
            nearest_items,
            neighbour_table,
        )
        from recsys.models.kernels.pair_counts import PairEntries, count_meeting_pairs

        settings, baskets = self.settings, training.baskets
        items = baskets.items
        known = np.flatnonzero(baskets.customer >= 0)
        # Orders are sorted by time; a stable sort by customer puts each beside the next one.
        order = known[np.argsort(baskets.customer[known], kind="stable")]
        follows = np.full(items.shape[0], -1, np.int64)
        same = baskets.customer[order[1:]] == baskets.customer[order[:-1]]
        follows[order[:-1][same]] = order[1:][same]
        sizes = np.diff(items.indptr)
        of = np.repeat(np.arange(items.shape[0]), sizes)
        first = np.where(follows >= 0, items.indptr[follows], 0)[of]
        many = np.where(follows >= 0, sizes[follows], 0)[of]
        held = np.bincount(items.indices, many > 0, training.n_items)
        reached = np.zeros(items.shape[0], bool)
        reached[follows[follows >= 0]] = True
        others = np.bincount(items.indices, reached[of], training.n_items)
        entries = PairEntries(
            items.indices, items.indices, lambda at: (first[at], many[at]), training.n_items
        )

        def parts() -> Iterator[DirectedPairs]:
            for counts in count_meeting_pairs(
                entries, settings.min_support, threads=training.threads
            ):
                a, b, support, weight = (column[counts.a != counts.b] for column in counts)
                doubt = support / (support + settings.shrinkage)
                similarity = weight / (held[a] ** _OWN * others[b] ** _OTHERS) * doubt
                yield DirectedPairs(a, b, similarity.astype(np.float32), support)

        near = nearest_items(parts(), training.n_items, settings.neighbours)
        self.indptr_, self.indices_, self.scores_ = neighbour_table(near, training.n_items)
        chance = held[near.a] * others[near.b]
        self.lift_ = (near.support * float(reached.sum()) / chance).astype(np.float32)
        return self

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.indptr_) - 1

    def lifts(self, item_ix: IxArray, others: IxArray) -> Scores:
        """Say how many times as often as by chance products are bought in the order after others.

        Parameters
        ----------
        item_ix, others : ndarray of shape (n,), int32
            Pairs of a product and what follows it.

        Returns
        -------
        ndarray of shape (n,), float32
            NaN where the second is no successor of the first.
        """
        self._check()
        return lifts_of((self.indptr_, self.indices_, self.lift_), item_ix, others)

    def _votes(self, batch: Batch) -> ItemVotes:
        """Votes of the products of each customer's last orders, weighted by how recent they are."""
        bought, past = batch.histories.bought, batch.histories
        steps = np.array(STEPS)
        weight = _recent(*map(fixed, (steps, bought.indptr, bought.starts, bought.line, past.ts)))
        table = self.indptr_, self.indices_, self.scores_
        return item_votes(bought.indptr, bought.item_ix, weight, table)

    def _scored(self, batch: Batch) -> Recommendations:
        """Every product with votes."""
        found = batch.once(self._votes, lambda: self._votes(batch))
        indptr, item_ix, total = sum_votes(found, no_votes(len(batch)), self.n_items)
        return Recommendations(indptr, item_ix, total.astype(np.float32))

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return top_of_lists(*batch.once(self._scored, lambda: self._scored(batch)), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        found = batch.once(self._scored, lambda: self._scored(batch))
        return scores_in_lists(*found, (items.indptr, items.item_ix), self.n_items)

    def because(self, batch: Batch, items: Ragged) -> IxArray:
        """Say after which product each given one is bought.

        Parameters
        ----------
        batch : Batch
        items : Ragged
            The products of each row to be explained.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, int32
            The strongest voter; -1 for a product without votes.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check(batch.histories, batch.context)
        candidates = np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32)
        found = batch.once(self._votes, lambda: self._votes(batch))
        return strongest_voters(found, no_votes(len(batch)), candidates, self.n_items)


@compiled
def _recent(
    steps: Floats, indptr: IntArray, starts: IntArray, line: IntArray, ts: IntArray
) -> Floats:
    """Weight of each product by its last order's place among the customer's last; 0 for older ones.

    Walks a customer's lines once to find the last moments, then the products. Compiled, because
    numpy would sort the moments of all customers.
    """
    weight = np.zeros(len(starts) - 1, np.float64)
    moments = np.empty(len(steps), np.int64)
    for r in range(len(indptr) - 1):
        known = 0  # the latest moments, the last one first
        for at in range(starts[indptr[r]], starts[indptr[r + 1]]):
            when, place = ts[line[at]], 0
            while place < known and moments[place] > when:
                place += 1
            if place == len(steps) or (place < known and moments[place] == when):
                continue
            known = min(known + 1, len(steps))
            moments[place + 1 : known] = moments[place : known - 1].copy()
            moments[place] = when
        for product in range(indptr[r], indptr[r + 1]):
            latest = ts[line[starts[product + 1] - 1]]
            for place in range(known):
                if moments[place] == latest:
                    weight[product] = steps[place]
    return weight
