"""Baskets in which it is known what is bought after what.

Shuffled baskets and whose they are come in; the same come out with products moved behind others,
so that customers buy them within some days. Called by ``benchmarks._planted``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmarks._null_model import Ints, chances
from benchmarks._shuffle import Floats, Planted, choose, matrix, moved
from recsys.datasets import Baskets
from recsys.units import DAY


@dataclass(frozen=True, eq=False)
class Visits:
    """Which baskets of the same customer follow each basket within the days.

    Attributes
    ----------
    later : csr_array of shape (n_orders, n_orders)
        1 where the column's basket comes after the row's, whose days are over.
    earlier : csr_array of shape (n_orders, n_orders)
        The same from the other side.
    """

    later: sparse.csr_array
    earlier: sparse.csr_array

    @classmethod
    def of(cls, baskets: Baskets, within_days: float, as_of_ts: int) -> "Visits":
        """Look at every basket whose customer is known."""
        within, n = within_days * DAY, len(baskets.ts)
        known = np.flatnonzero(baskets.customer >= 0)
        order = known[np.lexsort((baskets.ts[known], baskets.customer[known]))]
        whose, ts = baskets.customer[order], baskets.ts[order]
        rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for step in range(1, len(order)):
            near = whose[step:] == whose[:-step]
            near &= ts[step:] - ts[:-step] <= within
            if not near.any():
                break
            near &= (ts[step:] > ts[:-step]) & (ts[:-step] + within <= as_of_ts)
            at = np.flatnonzero(near)
            rows.append(order[at])
            columns.append(order[at + step])
        row, column = np.concatenate(rows), np.concatenate(columns)
        later = sparse.csr_array((np.ones(len(row), np.float32), (row, column)), shape=(n, n))
        return cls(later, sparse.csr_array(later.T))

    def behind(self, order: Ints) -> Ints:
        """Baskets that follow any of some baskets."""
        return _of(self.later, order)

    def before(self, order: Ints) -> Ints:
        """Baskets that any of some baskets follow."""
        return _of(self.earlier, order)


def _of(matrix: sparse.csr_array, rows: Ints) -> Ints:
    parts = [matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]] for row in rows]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts])).astype(np.int64)


def support(items: sparse.csr_array, visits: Visits, a: Ints, b: Ints) -> Ints:
    """Count the baskets with ``a`` and without ``b`` that one with ``b`` follows."""
    columns = sparse.csc_array(items)
    found = np.empty(len(a), np.int64)
    for pair, (one, other) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        with_other = _held(columns, other)
        cases = np.setdiff1d(_held(columns, one), with_other)
        found[pair] = len(np.intersect1d(cases, visits.before(with_other)))
    return found


def expected(items: sparse.csr_array, visits: Visits, a: Ints, b: Ints) -> Floats:
    """Say how many there would be by chance: as large as baskets are, and as often bought."""
    sizes, size_of = np.unique(np.diff(items.indptr), return_inverse=True)
    n_of_size = np.bincount(size_of).astype(np.float64)
    used, of = np.unique(np.concatenate([a, b]), return_inverse=True)
    chance, _ = chances(items, sizes, n_of_size, used)
    found = np.empty(len(a))
    for pair, (one, other) in enumerate(zip(of[: len(a)], of[len(a) :], strict=True)):
        of_other = chance[other][size_of]
        followed = 1 - np.exp(-(visits.later @ of_other))
        found[pair] = (chance[one][size_of] * (1 - of_other) * followed).sum()
    return found


def plant_after(items: sparse.csr_array, visits: Visits, n_pairs: int, seed: int) -> Planted:
    """Move products behind others, until they follow them often enough.

    Parameters
    ----------
    items : csr_array of shape (n_orders, n_items)
        Shuffled: nothing else follows anything.
    visits : Visits
    n_pairs : int
        At most, as for ``plant``.
    seed : int

    Returns
    -------
    Planted
        ``b`` follows ``a``; ``support`` counts as ``support`` of this module does.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(items.indices, minlength=items.shape[1])
    sizes = np.diff(items.indptr).astype(np.float64)
    meet = float(sizes @ (visits.later @ sizes)) / float(sizes.sum()) ** 2
    a, b, wanted = choose(counts, meet, n_pairs, rng)
    marked = np.zeros(items.shape[1], bool)
    marked[a], marked[b] = True, True
    indptr, indices = items.indptr.astype(np.int64), items.indices.astype(np.int32)
    columns = sparse.csc_array(items)
    for one, other, least in zip(a.tolist(), b.tolist(), wanted.tolist(), strict=True):
        with_one, with_other = _held(columns, one), _held(columns, other)
        followed = np.zeros(items.shape[0], bool)
        followed[visits.before(with_other)] = True
        open_ = rng.permutation(np.setdiff1d(with_one[~followed[with_one]], with_other))
        givers = np.setdiff1d(with_other, visits.behind(with_one))
        free = rng.permutation(givers).tolist()
        taken = set(with_one.tolist()) | set(with_other.tolist())
        n = int(followed[with_one].sum())
        for case in open_.tolist():
            if n >= least or not free:
                break
            if followed[case]:
                continue
            places = [at for at in visits.behind(np.array([case])).tolist() if at not in taken]
            if not places:
                continue
            place = int(rng.choice(places))
            if moved(indptr, indices, marked, other, place, free.pop(), rng):
                taken.add(place)
                followed[visits.before(np.array([place]))] = True
                n = int(followed[with_one].sum())
    planted = matrix(indices, indptr, items.shape)
    return Planted(planted, a, b, support(planted, visits, a, b))


def _held(columns: sparse.csc_array, item: int) -> Ints:
    held = columns.indices[columns.indptr[item] : columns.indptr[item + 1]]
    return np.asarray(held, np.int64)
