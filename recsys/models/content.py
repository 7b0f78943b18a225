"""What a product is: its words, its category, its brand.

The catalogue comes in; one sparse row of features a product comes out. Products that nobody
bought yet are found by what customers buy of their kind, and every product has its like. Called
like every model; ``responses`` asks for the like of a product, too.
"""

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.config import ContentSettings as Settings
from recsys.datasets import Batch, IntArray, IxArray, Lists, Ragged, fixed, rows_of
from recsys.models.base import Model, Recommendations, Scores
from recsys.models.kernels.feature_profiles import (
    Profile,
    items_of_profiles,
    most_similar_own,
    score_profiles,
)
from recsys.models.kernels.top_k import top_of_lists
from recsys.models.kernels.votes import ItemVotes, item_votes, no_votes, sum_votes

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

#: Products looked at for the like of one: commoner features are left out of the search then,
#: not out of the score.
_SEARCHED: Final = 200_000
#: How many times the wanted number is scored exactly.
_AMPLE: Final = 4

#: Features of a customer that name products, the strongest ones.
_NAMING: Final = 40
#: Products that each feature names: those that sell best, and those that nobody bought yet.
_SELLERS: Final = 20
_UNSOLD: Final = 5

Bools = npt.NDArray[np.bool_]


class SharedTraits(NamedTuple):
    """What a customer bought that is most like each of some products.

    Attributes
    ----------
    item_ix : ndarray of shape (n,), int32
        -1 where nothing is like it.
    words : ndarray of shape (n,), float32
        How alike the two titles are, in [0, 1].
    """

    item_ix: IxArray
    words: Scores


class SimilarItems(NamedTuple):
    """Products like one product, the most alike first.

    Attributes
    ----------
    item_ix : ndarray of shape (n,), int32
    scores : ndarray of shape (n,), float32
        How alike, in (0, 1]; equal ones by how much they sell, then by ``item_ix``.
    words : ndarray of shape (n,), float32
        How alike the titles are alone, in [0, 1].
    category, brand : ndarray of shape (n,), bool
        Whether it is of the same category, and of the same brand.
    variant : ndarray of shape (n,), bool
        Whether it is the same thing in another size.
    """

    item_ix: IxArray
    scores: Scores
    words: Scores
    category: Bools
    brand: Bools
    variant: Bools


class Content(Model):
    """Products by their features, and customers by those of what they buy.

    Two products are as alike as the weighted mean of three likenesses: the cosine of their
    titles' words by TF-IDF, whether they are of one category, and whether they are of one brand.
    A customer's score of product ``i`` is ``log(2 + s_i) sum_j x_j a_ij``: ``x_j`` is the share
    of their habits that product ``j`` makes, by the logarithm of one plus its decayed number of
    baskets, ``a_ij`` how alike the two are, and ``s_i`` the decayed number of baskets of everyone
    that hold ``i``. What nobody bought yet has a score too.

    Each of a customer's strongest features names the products with it that sell best, and some
    that nobody bought yet; only those can be among the best, so that the work does not grow with
    the catalogue.

    Parameters
    ----------
    settings : recsys.config.model_settings.ContentSettings

    Attributes
    ----------
    indptr_ : ndarray of shape (n_items + 1,), int64
    features_ : ndarray, int32
        Features of each product, ascending.
    weights_ : ndarray, float32
        Weight of each; the inner product of two rows is how alike two products are.
    starts_ : ndarray of shape (4,), int64
        First feature of words, categories and brands, and the end.
    bounds_ : ndarray of shape (n_features + 1,), int64
    holders_ : ndarray, int32
        Products that hold each feature, ascending.
    held_ : ndarray, float32
        Its weight in each.
    variant_ : ndarray of shape (n_items,), int32
        Equal for products that are one thing in several sizes; -1 for those without another.
    common_ : ndarray of shape (n_items,), float32
        What is left of the length of a title's words without those that no other title has.
    lists_ : ndarray of shape (n_features + 1,), int64
    named_ : ndarray, int32
        Products that each feature names.
    sold_ : ndarray of shape (n_items,), float32
        Decayed number of baskets that hold each product.
    """

    name: ClassVar[str] = "content"
    learned: ClassVar[tuple[str, ...]] = (
        "indptr_",
        "features_",
        "weights_",
        "starts_",
        "bounds_",
        "holders_",
        "held_",
        "variant_",
        "common_",
        "lists_",
        "named_",
        "sold_",
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Read what the catalogue says; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its products and categories say what is alike, its orders what sells.

        Returns
        -------
        Self
            This model.
        """
        from scipy import sparse

        from recsys.models.text_features import text_features_of

        given = self.settings
        found = text_features_of(training, (given.words, given.category, given.brand))
        self.indptr_ = found.matrix.indptr.astype(np.int64)
        self.features_ = found.matrix.indices.astype(np.int32)
        self.weights_ = found.matrix.data
        self.starts_ = found.starts
        by_feature = sparse.csc_array(found.matrix)
        by_feature.sort_indices()
        self.bounds_ = by_feature.indptr.astype(np.int64)
        self.holders_ = by_feature.indices.astype(np.int32)
        self.held_ = by_feature.data
        self.variant_, self.common_ = found.variant, found.common
        baskets = training.baskets
        weight = baskets.decay(training.as_of_ts, given.sold_half_life_days)
        everyone = baskets.summed(np.zeros(len(weight), np.int32), 1, weight)
        self.sold_ = np.zeros(training.n_items, np.float32)
        self.sold_[everyone.indices] = everyone.data
        self.lists_, self.named_ = self._champions()
        return self

    def _champions(self) -> tuple[IntArray, IxArray]:
        """Products that each feature names."""
        feature = np.repeat(np.arange(len(self.bounds_) - 1), np.diff(self.bounds_))
        item, worth = self.holders_, self.held_ * self._prior(self.holders_)
        order = np.lexsort((item, -worth, feature))
        unsold = self.sold_[item[order]] == 0
        chosen = []
        for group, most in ((~unsold, _SELLERS), (unsold, _UNSOLD)):
            some = order[group]
            first = np.searchsorted(feature[some], feature[some])
            chosen.append(some[np.arange(len(some)) - first < most])
        kept = np.sort(np.concatenate(chosen))  # by feature, then item, as the lists are
        length = np.bincount(feature[kept], minlength=len(self.bounds_) - 1)
        return np.concatenate([[0], np.cumsum(length)]), item[kept]

    def _prior(self, items: npt.NDArray[np.integer]) -> Scores:
        return np.asarray(np.log(np.float32(2) + self.sold_[items]), np.float32)

    @property
    def _sells(self) -> Scores:
        """``_prior`` of every product, worked out once."""
        of, known = self.__dict__.get("_known", (None, None))
        if known is None or of is not self.sold_:
            known = fixed(self._prior(np.arange(self.n_items)))
            self.__dict__["_known"] = self.sold_, known
        sells: Scores = known
        return sells

    def _own(self, batch: Batch) -> ItemVotes:
        """Votes of customers' products for features, weighted by their share of the habits."""
        return batch.once(self._own, lambda: self._habits(batch))

    def _habits(self, batch: Batch) -> ItemVotes:
        found = batch.frequency(self.settings.half_life_days)
        indptr, items, times = found
        habit = np.log1p(times)
        rows = rows_of(found)
        total = np.bincount(rows, habit, len(batch))
        share = habit / np.where(total > 0, total, 1.0)[rows]
        return item_votes(indptr, items, share, (self.indptr_, self.features_, self.weights_))

    def _profile(self, batch: Batch) -> Profile:
        """Features of what each customer buys, and how much of each."""
        own = self._own(batch)
        return batch.once(
            self._profile, lambda: sum_votes(own, no_votes(len(batch)), len(self.bounds_) - 1)
        )

    def _top(self, batch: Batch, n: int) -> Recommendations:
        lists = self.lists_, self.named_
        indptr, items = items_of_profiles(self._profile(batch), _NAMING, lists, self.n_items)
        scores = self._score(batch, Lists(indptr, items))
        alike = np.flatnonzero(scores > 0)
        return top_of_lists(np.searchsorted(alike, indptr), items[alike], scores[alike], n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        features = self.indptr_, self.features_, self.weights_
        n_features = len(self.bounds_) - 1
        given = items.indptr, items.item_ix
        return score_profiles(self._profile(batch), features, n_features, self._sells, *given)

    def because(self, batch: Batch, items: Ragged) -> SharedTraits:
        """Return the product of the history that is most similar to each given one.

        Parameters
        ----------
        batch : Batch
        items : Ragged
            The products of each row to be explained.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check(batch.histories, batch.context)
        indptr, item_ix = np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32)
        own = self._own(batch)
        sources, words = most_similar_own(own, self.starts_, indptr, item_ix)
        return SharedTraits(sources, np.minimum(words / np.float32(self._share("words") or 1.0), 1))

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.sold_)

    def similar(
        self,
        item_ix: int,
        n: int,
        *,
        among: Bools | None = None,
        variants: bool | None = None,
    ) -> SimilarItems:
        """Find the products most like one.

        Parameters
        ----------
        item_ix : int
            In ``[0, n_items)``.
        n : int
            Products wanted, at most.
        among : ndarray of shape (n_items,), bool, optional
            Which products may be named; all by default.
        variants : bool, optional
            True: only the same thing in another size. False: nothing of that.

        Returns
        -------
        SimilarItems
            Fewer where fewer are alike at all; never the product itself. Empty for a product of
            which nothing is known.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        IndexError
            When there is no such product.
        """
        self._check()
        if not 0 <= item_ix < self.n_items:
            raise IndexError(f"product {item_ix} of a catalogue of {self.n_items}.")
        own = int(self.variant_[item_ix])
        same = np.flatnonzero(self.variant_ == own) if own >= 0 else np.empty(0, np.int64)
        found = same if variants else np.union1d(self._alike(item_ix, n + len(same), among), same)
        found = found[found != item_ix]
        if among is not None:
            found = found[among[found]]
        if variants is False:
            found = found[~np.isin(found, same)]
        kinds = self._by_kind(item_ix, found)
        scores = kinds.sum(axis=1, dtype=np.float32)
        order = np.lexsort((found, -self.sold_[found], -scores))[:n]
        found, kinds = found[order], kinds[order]
        most = np.float32(self._share("words") or 1.0)
        return SimilarItems(
            found.astype(np.int32),
            scores[order],
            np.minimum(kinds[:, 0] / most, np.float32(1)),
            kinds[:, 1] > 0,
            kinds[:, 2] > 0,
            np.isin(found, same),
        )

    def _share(self, kind: str) -> float:
        given = self.settings
        return float(getattr(given, kind)) / ((given.words + given.category + given.brand) or 1.0)

    def _alike(self, item_ix: int, n: int, among: Bools | None) -> IntArray:
        """Products that share features with one, the most alike among them."""
        mine = slice(self.indptr_[item_ix], self.indptr_[item_ix + 1])
        features, weights = self.features_[mine], self.weights_[mine]
        lengths = self.bounds_[features + 1] - self.bounds_[features]
        rare = np.argsort(lengths, kind="stable")
        within = np.cumsum(lengths[rare]) <= _SEARCHED
        within[:1] = True
        alike = np.zeros(self.n_items, np.float32)
        for at in rare[within].tolist():
            part = slice(self.bounds_[features[at]], self.bounds_[features[at] + 1])
            alike[self.holders_[part]] += weights[at] * self.held_[part]
        alike[item_ix] = 0
        if among is not None:
            alike *= among
        found = np.flatnonzero(alike)
        wanted = _AMPLE * n
        if len(found) <= wanted:
            return found
        bar = np.partition(alike[found], len(found) - wanted)[len(found) - wanted]
        better = found[alike[found] > bar]
        level = found[alike[found] == bar]  # of those, what sells
        level = level[np.argsort(-self.sold_[level], kind="stable")]
        return np.concatenate([better, level[: wanted - len(better)]])

    def _by_kind(self, item_ix: int, others: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """How much words, category and brand add to the likeness, shape (n, 3)."""
        mine = slice(self.indptr_[item_ix], self.indptr_[item_ix + 1])
        features, weights = self.features_[mine], self.weights_[mine]
        kinds = np.zeros((len(others), len(self.starts_) - 1), np.float32)
        if not len(features):
            return kinds
        row, at = self._entries(others)
        place = np.minimum(np.searchsorted(features, self.features_[at]), len(features) - 1)
        shared = np.flatnonzero(features[place] == self.features_[at])
        amount = weights[place[shared]] * self.weights_[at[shared]]
        kind = np.searchsorted(self.starts_, self.features_[at[shared]], side="right") - 1
        np.add.at(kinds, (row[shared], kind), amount)
        return kinds

    def _entries(self, items: npt.NDArray[np.integer]) -> tuple[IntArray, IntArray]:
        """Where the features of several products stand, and which product's each is."""
        lengths = self.indptr_[items + 1] - self.indptr_[items]
        row = np.repeat(np.arange(len(items)), lengths)
        ends = np.cumsum(lengths)
        at = np.arange(len(row)) + np.repeat(self.indptr_[items] - ends + lengths, lengths)
        return row, at
