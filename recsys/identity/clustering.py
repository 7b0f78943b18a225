"""Clusters linked nodes into groups that keep limits on their size.

Links, the counts of each node and the limits of a group come in; the group of each node goes out
and, for each refused link, the limit that it would have broken. Called by ``resolution`` only,
where nodes are identifiers and groups are customers.
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
    The result equals that of a greedy pass over all links in order of strength, which refuses each
    link whose two groups together would break a limit. Most links need no such pass:

    A connected component of all links whose sum keeps every limit becomes one group. In the pass,
    every group within it would be a part of the component, and counts are not negative, so no group
    could exceed the component's sum and no link would be refused. Links of other components do not
    touch it. Only the links of components that break a limit are taken one by one.

    Groups only grow, so two groups that may not join at one time may not join later: a link is
    refused exactly if its ends are in different groups at the end.
    """
    a, b = ends
    n_nodes, n_links = len(counts), len(a)
    if not n_links:
        return np.arange(n_nodes), np.empty(0, np.int64)
    # Importing takes 0.2 s, and exports with a single type of identifier have no links.
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
    """Union-find that refuses links that would break a limit; overwrites ``counts``."""
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
