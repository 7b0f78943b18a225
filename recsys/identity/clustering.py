"""Links between identifiers → customers that keep their limits.

Pairs of nodes in order of strength come in, and how many identifiers of each type a customer may
have; out comes each node's customer and, for every pair that was not allowed to join, the limit
it would have broken. Called by ``resolution`` only; knows nothing of what the nodes are.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def cluster(
    ends: tuple[Ints, Ints],
    counts: Ints,
    limits: Ints,
    strongest_first: Callable[[Ints], Ints],
) -> tuple[Ints, Ints]:
    """Join nodes, strongest link first, as long as no group breaks a limit.

    Parameters
    ----------
    ends : pair of ndarray of shape (n_links,), int64
        Nodes that each link would join.
    counts : ndarray of shape (n_nodes, n_limits), int64
        What each node adds to each limited count, >= 0.
    limits : ndarray of shape (n_limits,), int64
        Largest sum that a group may have.
    strongest_first : callable
        Sorts some links, given by their positions, into the one order that holds for all of them.
        Only called for links whose order matters.

    Returns
    -------
    groups : ndarray of shape (n_nodes,), int64
        Number of each node's group, 0 ... n_groups - 1.
    broken : ndarray of shape (n_links,), int64
        Column of the first limit that the link would have broken; -1 where it joins.

    Notes
    -----
    The result is that of taking all links in the one order and leaving out each whose two groups
    together would break a limit. Most of it is found without taking them one by one:

    A connected component (of all links) whose sum keeps every limit is taken whole. Taken one by
    one, each group that its links would form is a part of the component, and counts only add, so
    its sum is at most the component's: no link is ever left out, and the groups grow until they
    are the component. Links of other components never meet it. Only the links of the remaining
    components are taken one by one.

    Groups only grow, so once two groups may not join they never are one later, by another way
    neither: a link is left out exactly where its ends lie in different groups at the end.
    """
    a, b = ends
    n_nodes, n_links = len(counts), len(a)
    if not n_links:
        return np.arange(n_nodes), np.empty(0, np.int64)
    # Loads for a fifth of a second, which exports with one identifier each can do without.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    adjacency = coo_matrix((np.ones(n_links, np.bool_), (a, b)), shape=(n_nodes, n_nodes))
    n_groups, groups = connected_components(adjacency, directed=False)
    groups = groups.astype(np.int64)
    over: NDArray[np.bool_] = np.any(add_up(counts, groups, n_groups) > limits, axis=1)
    broken = np.full(n_links, -1, np.int64)
    contested = np.flatnonzero(over[groups[a]])
    if len(contested):
        order = strongest_first(contested)
        nodes = np.flatnonzero(over[groups])
        local = np.full(n_nodes, -1, np.int64)
        local[nodes] = np.arange(len(nodes))
        roots, broken[order] = _one_by_one(
            local[a[order]].tolist(), local[b[order]].tolist(), counts[nodes].tolist(), limits
        )
        groups[nodes] = n_groups + roots
        groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    return groups, broken


def add_up(counts: Ints, groups: Ints, n_groups: int) -> Ints:
    """Sum the rows of ``counts`` by group; shape (n_groups, n_limits)."""
    sums = np.zeros((n_groups, counts.shape[1]), np.int64)
    for ix, column in enumerate(counts.T):
        sums[:, ix] = np.bincount(groups, column, n_groups)
    return sums


def _one_by_one(
    a: list[int], b: list[int], counts: list[list[int]], limits: Ints
) -> tuple[Ints, Ints]:
    """Union-find that leaves out links that would break a limit; ``counts`` is used up."""
    most = limits.tolist()
    parent = list(range(len(counts)))
    size = [1] * len(counts)
    broken = []

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in zip(a, b, strict=True):
        big, small = root(left), root(right)
        if big == small:
            broken.append(-1)
            continue
        merged = [x + y for x, y in zip(counts[big], counts[small], strict=True)]
        first = next((i for i, n in enumerate(merged) if n > most[i]), -1)
        broken.append(first)
        if first < 0:
            if size[big] < size[small]:
                big, small = small, big
            parent[small] = big
            size[big] += size[small]
            counts[big] = merged
    roots = np.fromiter(map(root, range(len(parent))), np.int64, len(parent))
    return roots, np.array(broken, np.int64)
