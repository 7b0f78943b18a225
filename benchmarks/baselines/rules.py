"""Rules between two products, from mlxtend and rusket: frequent pairs, then association rules.

Baskets come in; every rule with a lift above 1 comes out, with the figures that rules are usually
sorted by. Called by ``benchmarks.bundles``, in processes of their own.
"""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: By what rules may be sorted, the largest first.
ORDERS: Final = ("lift", "confidence", "leverage", "zhang")


class Rules(NamedTuple):
    """Rules ``a → b`` with a lift above 1, each of shape (n,).

    Attributes
    ----------
    a, b : ndarray, int64
    support : ndarray, int64
        Baskets with both.
    lift, confidence, leverage, zhang : ndarray, float64
    seconds : float
        From baskets to rules.
    """

    a: Ints
    b: Ints
    support: Ints
    lift: Floats
    confidence: Floats
    leverage: Floats
    zhang: Floats
    seconds: float

    def without(self, same: Callable[[Any, Any], npt.NDArray[np.bool_]]) -> "Rules":
        """Leave out the rules between products of which ``same`` says that they are one thing."""
        both = np.stack([np.minimum(self.a, self.b), np.maximum(self.a, self.b)])
        pairs, of = np.unique(both, axis=1, return_inverse=True)
        kept = ~same(pairs[0].astype(np.int32), pairs[1].astype(np.int32))[of.ravel()]
        columns = {name: getattr(self, name)[kept] for name in self._fields[:-1]}
        return self._replace(**columns)

    def pairs(self, order: str, least: float = 0) -> tuple[Ints, Ints]:
        """Return every pair once, ``a < b``, where its better rule stands.

        Parameters
        ----------
        order : str
            One of ``ORDERS``; those with more support come first among equals.
        least : float
            Support that a rule must have.
        """
        rows = np.flatnonzero(self.support >= least)
        low, high = np.minimum(self.a, self.b)[rows], np.maximum(self.a, self.b)[rows]
        rows = rows[np.lexsort((high, low, -self.support[rows], -getattr(self, order)[rows]))]
        ends = np.stack([self.a[rows], self.b[rows]])
        low, high = ends.min(axis=0), ends.max(axis=0)
        _, first = np.unique(low * (1 + int(high.max(initial=0))) + high, return_index=True)
        first.sort()
        return low[first], high[first]


def by_mlxtend(baskets: sparse.csr_array, min_support: int) -> Rules:
    """FP-growth over a sparse table, then ``association_rules``."""
    frames, patterns = import_module("pandas"), import_module("mlxtend.frequent_patterns")
    started = time.perf_counter()
    items, some = _frequent(baskets, min_support)
    table = frames.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(some.astype(np.bool_)))
    table.columns = [str(item) for item in range(len(items))]
    sets = patterns.fpgrowth(table, min_support=_share(baskets, min_support), max_len=2)
    rules = patterns.association_rules(sets, metric="lift", min_threshold=1.0)
    return _rules(rules, items, baskets.shape[0], time.perf_counter() - started)


def by_rusket(baskets: sparse.csr_array, min_support: int) -> Rules:
    """FP-growth in Rust, then ``association_rules``."""
    rusket = import_module("rusket")
    started = time.perf_counter()
    items, some = _frequent(baskets, min_support)
    share = _share(baskets, min_support)
    sets = rusket.FPGrowth(some, min_support=share, max_len=2, use_colnames=False).mine()
    rules = rusket.association_rules(
        sets, num_itemsets=baskets.shape[0], metric="lift", min_threshold=1.0
    )
    return _rules(rules, items, baskets.shape[0], time.perf_counter() - started)


METHODS: Final[dict[str, Callable[[sparse.csr_array, int], Rules]]] = {
    "mlxtend": by_mlxtend,
    "rusket": by_rusket,
}


def _frequent(baskets: sparse.csr_array, min_support: int) -> tuple[Ints, sparse.csr_array]:
    """Leave products out that can be in no rule: tables of many columns are slow."""
    items = np.flatnonzero(np.bincount(baskets.indices, minlength=baskets.shape[1]) >= min_support)
    return items, sparse.csr_array(sparse.csc_array(baskets)[:, items])


def _share(baskets: sparse.csr_array, min_support: int) -> float:
    n_orders: int = baskets.shape[0]
    return (min_support - 0.5) / n_orders  # they round up


def _rules(table: Any, items: Ints, n_orders: int, seconds: float) -> Rules:
    table = table[table["lift"] > 1]
    a, b = (
        items[np.array([int(next(iter(side))) for side in table[name]], np.int64)]
        for name in ("antecedents", "consequents")
    )
    lift, confidence, leverage, zhang = (
        table[name].to_numpy(np.float64)
        for name in ("lift", "confidence", "leverage", "zhangs_metric")
    )
    support = (table["support"].to_numpy(np.float64) * n_orders).round().astype(np.int64)
    return Rules(a, b, support, lift, confidence, leverage, zhang, seconds)
