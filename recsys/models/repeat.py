"""What the customer bought before, how soon it is bought again, and when that is.

Orders × products come in; out come how fast, at what intervals and how reliably each product is
bought again, and how that depends on the time since the last purchase. A customer's own pace is
worked out when the question is asked. Reasons ask ``overdue``, rules ``awaited``; ``timing``
says when each product is due.
"""

from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from recsys.config import RepeatSettings as Settings
from recsys.datasets import (
    Batch,
    Context,
    Histories,
    IntArray,
    IxArray,
    KeptPurchases,
    Lists,
    Ragged,
    pointers,
    rows_of,
)
from recsys.models.base import Floats, Model, Recommendations, Scores
from recsys.models.kernels.top_k import scores_in_lists, top_of_lists
from recsys.models.purchase_intervals import (
    PurchaseIntervals,
    intervals_of_sorted,
    purchase_intervals,
)
from recsys.models.repeat_timing import Bools, RepeatTiming, overdue_items, repeat_timing
from recsys.models.repurchase_rates import RepurchaseRates
from recsys.models.trending import recent_counts, rise_of
from recsys.units import DAY

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

#: A customer's intervals of doubt: as many count as much as the product's.
OWN_GAPS: Final = 2.0
#: Purchases to learn from, at most; of more, those of every second, third … customer are taken.
MAX_PURCHASES: Final = 5_000_000
#: The window that the curve of dueness is learned on is this share of the history, at most.
MAX_SHARE: Final = 0.25
#: Purchases of doubt in each step of that curve.
DOUBT: Final = 20.0
#: Intervals after which, in doubt, half of a customer's pace is believed.
FADING: Final = 6.0
#: Half-lives of how a product sells now and of how it did before; days.
NOW_DAYS: Final = 14.0
PAST_DAYS: Final = 120.0
#: Where the curve has its knots: logarithms of elapsed days over typical interval.
KNOTS: Final = np.array([-3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3], np.float64)


class Repeat(Model):
    """Purchases to expect of what the customer bought before.

    The score of product ``i`` is ``horizon × rate × due(x) × now_i``, in purchases:

    - ``rate = (k + a) / (T + a / r_i)``, where ``k`` are the customer's repeats of it, decayed,
      ``T`` the days since their first purchase of it, decayed in the same way, ``r_i`` the
      repeats per buyer and day of the product and ``a`` the doubt: a Gamma-Poisson estimate
      [1]_ that forgets.
    - ``due`` is a curve over ``x``, the logarithm of the days since the last purchase over the
      interval that is typical for this customer and product. It is learned: how many were
      bought within the horizon, over how many the rate expected.
    - ``now_i``: how the product sells lately against its own past.

    Products whose ``r_i`` is below ``once_below`` of the average are bought once in a lifetime
    and get no score.

    Parameters
    ----------
    settings : recsys.config.model_settings.RepeatSettings

    Attributes
    ----------
    rate_ : ndarray of shape (n_items,), float32
        ``r_i``; 0 for what is bought once in a lifetime.
    log_interval_ : ndarray of shape (n_items,), float32
        Mean logarithm of the days between two purchases.
    spread_ : ndarray of shape (n_items,), float32
        Standard deviation of it, around each customer's own mean.
    now_ : ndarray of shape (n_items,), float32
    due_ : ndarray of shape (len(KNOTS),), float32
        The curve at ``KNOTS``.

    Notes
    -----
    Intervals are taken as log-logistic [2]_: their hazard rises to a peak and falls after it.

    References
    ----------
    .. [1] Gupta (1991), Stochastic models of interpurchase time, J. Marketing Research 28.
    .. [2] Chintagunta and Haldar (1998), Investigating purchase timing behavior in two related
       product categories, J. Marketing Research 35.
    """

    name: ClassVar[str] = "repeat"
    learned: ClassVar[tuple[str, ...]] = ("rate_", "log_interval_", "spread_", "now_", "due_")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, training: "TrainingSet") -> Self:
        """Count who bought again, and when; see ``Model.fit``.

        Parameters
        ----------
        training : TrainingSet
            Its categories and orders; those of known customers tell who bought again, and when.

        Returns
        -------
        Self
            This model.
        """
        n, as_of_ts = training.n_items, training.as_of_ts
        key, ts = _purchases(training)
        days = (as_of_ts - int(ts.min(initial=as_of_ts))) / DAY
        horizon_days = min(self.settings.horizon_days, MAX_SHARE * days)
        # The curve is learned on what was bought in the last stretch, by what was known before.
        cut_ts = as_of_ts - round(horizon_days * DAY)
        before = ts < cut_ts
        found, products = self._watch(key[before], ts[before], cut_ts, training.category)
        self._keep(products)
        pace, x = self._pace(found, (found.key % n).astype(np.int32))
        bought = self._pairs(key[~before], ts[~before], as_of_ts)
        _, at, of = np.intersect1d(found.key, bought.key, assume_unique=True, return_indices=True)
        times = np.zeros(len(found))
        times[at] = bought.times[of]
        self.due_ = _curve(x, pace * horizon_days, times, self.settings.due)
        _, products = self._watch(key, ts, as_of_ts, training.category)
        self._keep(products)
        now, past = (
            recent_counts(training.baskets, as_of_ts, each) for each in (NOW_DAYS, PAST_DAYS)
        )
        self.now_ = np.exp(self.settings.now * rise_of(now, past)).astype(np.float32)
        return self

    def _watch(
        self, key: IntArray, ts: IntArray, as_of_ts: int, category: IxArray
    ) -> tuple[PurchaseIntervals, RepurchaseRates]:
        found = self._pairs(key, ts, as_of_ts)
        item_ix = (found.key % max(1, len(category))).astype(np.int32)
        return found, RepurchaseRates.learn(found, item_ix, category)

    def _pairs(self, key: IntArray, ts: IntArray, as_of_ts: int) -> PurchaseIntervals:
        count = np.ones(len(key), np.int32)
        return purchase_intervals(key, ts, count, as_of_ts, self.settings.half_life_days)

    def _keep(self, products: RepurchaseRates) -> None:
        once = products.rate < self.settings.once_below * products.overall
        self.rate_ = np.where(once, 0.0, products.rate).astype(np.float32)
        self.log_interval_ = products.log_interval.astype(np.float32)
        self.spread_ = products.spread.astype(np.float32)

    @property
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""
        return len(self.rate_)

    def _pace(self, found: PurchaseIntervals, item_ix: IxArray) -> tuple[Floats, Floats]:
        """Repeats a day, and where the pair stands in its interval: the ``x`` of the curve."""
        decay_rate = np.log(2.0) / self.settings.half_life_days
        seen_days = -np.expm1(-decay_rate * found.known_days) / decay_rate
        rate, doubt = self.rate_[item_ix].astype(np.float64), self.settings.doubt
        pace = (found.repeats + doubt) * rate / (seen_days * rate + doubt)
        return pace, np.log(found.elapsed_days) - self._log_interval(found, item_ix)

    def _expected(self, found: PurchaseIntervals, item_ix: IxArray) -> Scores:
        """Purchases within the horizon: the score."""
        pace, x = self._pace(found, item_ix)
        due = np.interp(x, KNOTS, self.due_)
        purchases = pace * due * self.now_[item_ix] * self.settings.horizon_days
        return np.asarray(purchases, np.float32)

    def _log_interval(self, found: PurchaseIntervals, item_ix: IxArray) -> Floats:
        """Logarithm of the days that are typical for each customer and product."""
        of_product = OWN_GAPS * self.log_interval_[item_ix].astype(np.float64)
        return np.asarray((found.log_gaps() + of_product) / (found.gaps() + OWN_GAPS), np.float64)

    def _found(self, batch: Batch, bought: KeptPurchases) -> PurchaseIntervals:
        """What customers bought; keys are row × ``n_items`` + product."""
        past = batch.histories
        rows = rows_of(bought)
        return intervals_of_sorted(
            rows * self.n_items + bought.item_ix,
            (bought.starts, bought.line),
            past.ts,
            past.count,
            batch.context.as_of_ts[rows],
            self.settings.half_life_days,
        )

    def _pairs_of(self, batch: Batch) -> PurchaseIntervals:
        """Everything that customers bought and kept, in the order of ``Histories.bought``."""
        return batch.once(self._pairs_of, lambda: self._found(batch, batch.histories.bought))

    def _scores(self, batch: Batch) -> Scores:
        """Purchases to expect of each of ``_pairs_of``."""
        return batch.once(
            self._scores,
            lambda: self._expected(self._pairs_of(batch), batch.histories.bought.item_ix),
        )

    def _owned(self, batch: Batch) -> Recommendations:
        """Products that each customer is expected to buy again, ascending, and how often."""
        bought, scores = batch.histories.bought, self._scores(batch)
        known = np.flatnonzero(scores > 0)
        indptr = np.searchsorted(known, bought.indptr)
        return Recommendations(indptr, bought.item_ix[known], scores[known])

    def _top(self, batch: Batch, n: int) -> Recommendations:
        return top_of_lists(*batch.once(self._owned, lambda: self._owned(batch)), n)

    def _score(self, batch: Batch, items: Lists) -> Scores:
        owned = batch.once(self._owned, lambda: self._owned(batch))
        return scores_in_lists(*owned, (items.indptr, items.item_ix), self.n_items)

    def timing(self, histories: Histories, context: Context) -> RepeatTiming:
        """Say when each customer is expected to buy what they bought before.

        Parameters
        ----------
        histories : Histories
        context : Context
            Of the same length.

        Returns
        -------
        RepeatTiming
            One list a customer, of every product that they bought and kept, but for what is
            bought once in a lifetime.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            When histories and context differ in length, or the catalogue is another one.
        """
        self._check(histories, context)
        found = self._found(Batch(histories, context), histories.bought)
        item_ix = (found.key % self.n_items).astype(np.int32)
        return repeat_timing(
            found,
            item_ix,
            rows=found.key // self.n_items,
            as_of_ts=context.as_of_ts,
            log_interval=self._log_interval(found, item_ix),
            spread=self._spread(found, item_ix),
            expected=self._expected(found, item_ix),
        )

    def overdue(self, batch: Batch, items: Ragged) -> Bools:
        """Say which products should have been bought again by now: ``overdue`` of ``timing``.

        Parameters
        ----------
        batch : Batch
        items : Ragged
            Products of each row.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, bool

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check(batch.histories, batch.context)
        found, bought = self._pairs_of(batch), batch.histories.bought
        return overdue_items(
            found, bought, self._scores(batch), items, (self.log_interval_, self.spread_), OWN_GAPS
        )

    def awaited(
        self,
        histories: Histories,
        as_of_ts: IntArray,
        share: Floats,
        most_days: Floats,
        choice_of: IxArray,
    ) -> Lists:
        """Say what was bought so lately that hardly anybody buys it again yet.

        A choice is awaited until ``share`` of the intervals that are typical for this customer and
        the product bought last would be over. Intervals are those between purchases of any
        product of the choice, and log-logistic as in ``repeat_timing``.

        Parameters
        ----------
        histories : Histories
            Of ``n`` customers.
        as_of_ts : ndarray of shape (n,), int64
            UTC epoch seconds.
        share : ndarray of shape (n,), float64
            In [0, 1); 0: nothing is awaited.
        most_days : ndarray of shape (n,), float64
            Nothing is awaited for longer. So long is what is bought once in a lifetime, unless the
            customer did buy it again.
        choice_of : ndarray of shape (n_items,), int32
            Choice of each product.

        Returns
        -------
        Lists
            ``n`` rows: of each awaited choice the product that was bought last.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check()
        bought, ts = histories.bought, histories.ts
        of_line = np.repeat(np.arange(len(bought.item_ix)), np.diff(bought.starts))
        item = bought.item_ix[of_line]
        key = rows_of(bought)[of_line] * self.n_items + choice_of[item]
        order = np.lexsort((bought.line, key))
        key, line = key[order], bought.line[order]
        starts = np.append(np.flatnonzero(np.diff(key, prepend=-1)), len(key))
        last = starts[1:] - 1
        rows, item = key[last] // max(1, self.n_items), item[order][last]
        found = intervals_of_sorted(
            key[last],
            (starts, line),
            ts,
            histories.count,
            as_of_ts[rows],
            self.settings.half_life_days,
        )
        asked = np.flatnonzero(share[rows] > 0)
        log_odds = np.zeros(len(rows))
        log_odds[asked] = np.log(share[rows[asked]] / (1.0 - share[rows[asked]]))
        log_days = self._log_interval(found, item)
        log_days += log_odds * self._spread(found, item) * np.sqrt(3.0) / np.pi
        once = (self.rate_[item] <= 0) & (found.gaps() == 0)
        days = np.minimum(np.where(once, np.inf, np.exp(log_days)), most_days[rows])
        elapsed_days = (as_of_ts[rows] - ts[line[last]]) / DAY
        hidden = asked[elapsed_days[asked] < days[asked]]
        return Lists(pointers(rows[hidden], len(histories)), item[hidden])

    def _spread(self, found: PurchaseIntervals, item_ix: IxArray) -> Floats:
        """Standard deviation of the logarithm of each pair's intervals."""
        gaps = found.gaps()
        mean = found.log_gaps() / np.maximum(gaps, 1.0)
        squares = np.bincount(found.gap_of, (found.log_gap - mean[found.gap_of]) ** 2, len(found))
        of_product = OWN_GAPS * self.spread_[item_ix].astype(np.float64) ** 2
        free = np.maximum(gaps - 1.0, 0.0)
        return np.asarray(np.sqrt((squares + of_product) / (free + OWN_GAPS)), np.float64)


def _purchases(training: "TrainingSet") -> tuple[IntArray, IntArray]:
    """Which customer bought which product, as one number, and when; in time order."""
    baskets = training.baskets
    named = np.flatnonzero(baskets.customer >= 0)
    sizes = np.diff(baskets.items.indptr)
    every = int(sizes[named].sum()) // MAX_PURCHASES + 1
    named = named[baskets.customer[named] % every == 0]
    order = np.repeat(named, sizes[named])
    lines = np.arange(len(order)) + np.repeat(
        baskets.items.indptr[named] - np.append(0, np.cumsum(sizes[named])[:-1]), sizes[named]
    )
    customer = baskets.customer[order].astype(np.int64)
    return customer * training.n_items + baskets.items.indices[lines], baskets.ts[order]


def _curve(x: Floats, expected: Floats, bought: Floats, power: float) -> Scores:
    """Bought over expected purchases at each knot of ``x``."""
    step = np.searchsorted((KNOTS[1:] + KNOTS[:-1]) / 2, x)
    hits = np.bincount(step, bought, len(KNOTS))
    wanted = np.bincount(step, expected, len(KNOTS))
    level = (hits.sum() + DOUBT) / (wanted.sum() + DOUBT)
    # In doubt: as expected within the interval, and ever less from some intervals on.
    guess = 1.0 / (1.0 + np.exp(KNOTS) / FADING)
    relative = (hits / level + DOUBT * guess) / (wanted + DOUBT)
    return np.asarray(level * relative**power, np.float32)
