"""Identifiers and links as numpy arrays, on which identities are resolved.

The Arrow tables of identifiers and links come in; positions, types and counts go out as arrays.
Called by ``resolution`` only.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.errors import DataError
from recsys.identity.links import ANCHORS, EVIDENCE, REGISTRATION

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs of identifiers that count as seen together.

    Attributes
    ----------
    a, b : ndarray of shape (n_pairs,), int64
        Positions of the two identifiers, a < b.
    seen : ndarray of shape (n_pairs,), int64
        Groups in which they were seen together.
    """

    a: Ints
    b: Ints
    seen: Ints

    def between(self, left: Flags, right: Flags) -> "Pairs":
        """Select pairs of one identifier in ``left`` and one in ``right``; the first becomes ``a``.

        Nothing may be in both.
        """
        straight = left[self.a] & right[self.b]
        turned = right[self.a] & left[self.b]
        a = np.where(turned, self.b, self.a)
        b = np.where(turned, self.a, self.b)
        chosen = straight | turned
        return Pairs(a[chosen], b[chosen], self.seen[chosen])


@dataclass(frozen=True)
class Graph:
    """Identifiers, strongest first, and the links between them.

    Attributes
    ----------
    kinds : list of str
        Identifier types, strongest first.
    kind_of : ndarray of shape (n_identifiers,), int64
        Type of each identifier, as a position in ``kinds``.
    a, b : ndarray of shape (n_links,), int64
        Positions of each link's identifiers.
    evidence : ndarray of shape (n_links,), int64
        Position in ``EVIDENCE``; ``len(EVIDENCE)`` for any other kind.
    seen : ndarray of shape (n_links,), int64
        How often.
    first_us : ndarray of shape (n_links,), int64
        When first, microseconds since 1970; the largest integer where it is not known.
    link_ids : pa.Array
        Ids of the links.
    seniority : ndarray of shape (n_identifiers,), int64
        Place of each identifier by when it was first seen, in how many orders, and until when;
        equal where all of that is. Values are hashes under a key, so that ties which they broke
        would come out differently under another key.
    """

    kinds: list[str]
    kind_of: Ints
    a: Ints
    b: Ints
    evidence: Ints
    seen: Ints
    first_us: Ints
    link_ids: pa.Array
    seniority: Ints

    @classmethod
    def of(cls, identifiers: pa.Table, links: pa.Table) -> "Graph":
        """Read the tables; identifiers must be sorted by ``strongest_first``.

        Raises
        ------
        DataError
            When a link names an identifier that is not there.
        """
        types = pc.unique(identifiers["type"]).to_pylist()
        kinds = sorted(types, key=_strength)
        known = pc.binary_join_element_wise(identifiers["type"], identifiers["value"], "\t")
        ends = []
        for side in ("a", "b"):
            named = pc.binary_join_element_wise(links[f"type_{side}"], links[f"value_{side}"], "\t")
            found = pc.index_in(named, value_set=known)
            if found.null_count:
                raise DataError(
                    "links: one names an identifier that `identifiers` does not have. "
                    "Run `omnibasket ingest` to write both again."
                )
            ends.append(_ints(found))
        rank = pc.index_in(links["evidence"], value_set=pa.array(EVIDENCE))
        first_us = links["first_at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        return cls(
            kinds=kinds,
            kind_of=_ints(pc.index_in(identifiers["type"], value_set=pa.array(kinds, pa.string()))),
            a=ends[0],
            b=ends[1],
            evidence=_ints(pc.fill_null(rank, len(EVIDENCE))),
            seen=_ints(links["seen"]),
            first_us=_ints(pc.fill_null(first_us, np.iinfo(np.int64).max)),
            link_ids=links["link_id"].combine_chunks(),
            seniority=_seniority(identifiers),
        )

    def of_kind(self, *kinds: str) -> Flags:
        """Flag the identifiers of some types."""
        wanted = [ix for ix, kind in enumerate(self.kinds) if kind in kinds]
        return np.isin(self.kind_of, wanted)

    def of_evidence(self, evidence: str) -> Flags:
        """Flag the links of one kind of evidence."""
        flags: Flags = self.evidence == EVIDENCE.index(evidence)
        return flags

    def pairs(self, links: Flags) -> Pairs:
        """Add up links of the same two identifiers, whatever their evidence."""
        n = max(len(self.kind_of), 1)
        a, b = self.a[links], self.b[links]
        keys, position = np.unique(np.minimum(a, b) * n + np.maximum(a, b), return_inverse=True)
        seen = np.bincount(position, self.seen[links], len(keys)).astype(np.int64)
        return Pairs(keys // n, keys % n, seen)

    def registered(self, links: Flags) -> Flags:
        """Flag the identifiers that someone registered, as far as ``links`` say so."""
        which = links & self.of_evidence(REGISTRATION)
        found = np.zeros(len(self.kind_of), np.bool_)
        found[self.a[which]] = True
        found[self.b[which]] = True
        return found

    def standing(self, blocked: Collection[int], refused: Collection[int]) -> Flags:
        """Flag the links that are not refused and have no blocked end."""
        names_somebody = np.ones(len(self.kind_of), np.bool_)
        names_somebody[list(blocked)] = False
        stands = names_somebody[self.a] & names_somebody[self.b]
        stands[list(refused)] = False
        return stands

    def strength_order(self, links: Ints) -> Ints:
        """Argsort links by evidence, how often they were seen, since when, and by their ends.

        Of the ends count the types, the strongest first, and then who was there first; ids only
        where all of that is equal.
        """
        ids = np.array(self.link_ids.take(pa.array(links)).to_pylist(), dtype=np.str_)
        a, b = self.a[links], self.b[links]
        keys: list[Any] = [ids]
        for of in (self.seniority, self.kind_of):
            keys += [np.maximum(of[a], of[b]), np.minimum(of[a], of[b])]
        keys += [self.first_us[links], -self.seen[links], self.evidence[links]]
        return np.lexsort(keys).astype(np.int64)


def strongest_first(identifiers: pa.Table) -> pa.Table:
    """Sort identifiers by the strength of their type, then by type and value."""
    rank = pc.fill_null(pc.index_in(identifiers["type"], value_set=pa.array(ANCHORS)), len(ANCHORS))
    keys = pa.table([rank, identifiers["type"], identifiers["value"]], ["rank", "type", "value"])
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    return identifiers.take(order)


def _seniority(identifiers: pa.Table) -> Ints:
    """Place of each by when it was first seen, in how many orders, and until when."""
    first, last = (
        pc.fill_null(identifiers[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), 2**62)
        for name in ("first_at", "last_at")
    )
    rows = np.stack([_ints(first), -_ints(identifiers["orders"]), _ints(last)], axis=1)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _strength(kind: str) -> tuple[int, str]:
    return (ANCHORS.index(kind) if kind in ANCHORS else len(ANCHORS), kind)


def _ints(column: pa.Array | pa.ChunkedArray) -> Ints:
    numbers: Ints = column.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers
