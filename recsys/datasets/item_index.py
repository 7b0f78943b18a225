"""Product ids become stable numbers and positions.

Text ids come in; out come 63-bit keys, which stay the same in every run and every artefact, and
positions in one catalogue, which index the arrays of one artefact. A customer's stored history
holds keys, so that it outlives any artefact. Called by ingest (products' ``item_key``), by the
ledger (stored histories), by fit and by every request.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets.compilation import compiled, fixed
from recsys.errors import DataError

IntArray = npt.NDArray[np.int64]
IxArray = npt.NDArray[np.int32]

_TOP_BIT_CLEARED = (1 << 63) - 1
_EMPTY = hashlib.blake2b(digest_size=8)


@lru_cache(maxsize=1 << 18)  # the same products come again in every batch of lines
def item_key(item_id: str) -> int:
    """Return the stable number of a product.

    Parameters
    ----------
    item_id : str
        The product's id, as in the catalogue.

    Returns
    -------
    int
        1 to 2**63 - 1: the first 8 bytes of BLAKE2b over the UTF-8 text, read big endian, top
        bit cleared. Zero never stands for an id.
    """
    return _key(item_id)


def item_keys(item_ids: Iterable[str]) -> IntArray:
    """Return ``item_key`` of each id.

    Parameters
    ----------
    item_ids : iterable of str
        Products' ids, as in the catalogue.

    Returns
    -------
    ndarray of shape (n_ids,), int64
        In the same order.
    """
    return np.fromiter(map(item_key, item_ids), np.int64)


def order_key(order_id: str) -> int:
    """Return the stable number of an order, made as ``item_key`` makes a product's.

    Parameters
    ----------
    order_id : str
        As the exports name it.

    Returns
    -------
    int
        1 to 2**63 - 1; 0 never stands for an order.
    """
    return _key(order_id)


def location_key(location_id: str | None) -> int:
    """Return the stable number of a location, made as ``item_key`` makes a product's.

    Parameters
    ----------
    location_id : str or None
        As the exports name it; None or empty for no location.

    Returns
    -------
    int
        0 for none, else 1 to 2**63 - 1.
    """
    return item_key(location_id) if location_id else 0


def text_keys(texts: Iterable[bytes]) -> IntArray:
    """Return ``item_key`` (or ``order_key``) of many UTF-8 texts, three times as fast.

    For texts that are each given once: nothing is remembered.
    """
    digests = []
    for text in texts:
        one = _EMPTY.copy()  # costs less than a new one with its length
        one.update(text)
        digests.append(one.digest())
    keys = np.frombuffer(b"".join(digests), ">i8").astype(np.int64) & _TOP_BIT_CLEARED
    keys[keys == 0] = 1
    return keys


def _key(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") & _TOP_BIT_CLEARED or 1


@compiled
def place(key: Any, shift: Any, depth: Any, start: Any, keys: Any, ix: Any) -> Any:
    """Position of a key in the catalogue, -1 where it has none; see ``ItemIndex.search``.

    The key's top bits say where to start, ``depth`` how many keys to look at. Compiled into loops
    that look up one key each time.
    """
    at = start[(key & 0x7FFFFFFFFFFFFFFF) >> shift]
    for _ in range(depth):
        if keys[at] == key:
            return ix[at]
        at = min(at + 1, len(keys) - 1)
    return -1


@compiled
def _place_all(wanted: Any, shift: Any, depth: Any, start: Any, keys: Any, ix: Any) -> Any:
    """Position of each key."""
    found = np.empty(len(wanted), np.int32)
    for k in range(len(wanted)):
        found[k] = place(wanted[k], shift, depth, start, keys, ix)
    return found


class ItemIndex:
    """The products of one catalogue in their order: id ↔ key ↔ position.

    Parameters
    ----------
    item_ids : iterable of str
        Ids in any order; repeats count once.

    Attributes
    ----------
    item_ids : sequence of str, length ``n_items``
        Sorted by code point, so that the same products always get the same positions.
    keys : ndarray of shape (n_items,), int64
        ``item_key`` of each.

    Raises
    ------
    DataError
        When two ids have the same key (chance 5e-8 for a million products).
    """

    def __init__(self, item_ids: Iterable[str]) -> None:
        ordered = sorted(set(item_ids))
        self._set(ordered, item_keys(ordered))

    @classmethod
    def from_arrays(cls, item_ids: Sequence[str], keys: IntArray) -> "ItemIndex":
        """Rebuild an index from what another one held, without hashing or sorting again.

        Parameters
        ----------
        item_ids : sequence of str
            ``item_ids`` of the other index; any sequence, for example packed text.
        keys : ndarray of shape (n_items,), int64
            ``keys`` of the other index.
        """
        index = cls.__new__(cls)
        index._set(item_ids, keys)
        return index

    def _set(self, item_ids: Sequence[str], keys: IntArray) -> None:
        self.item_ids = item_ids
        self.keys = keys
        by_key = np.argsort(keys, kind="stable")
        self._sorted_keys = keys[by_key]
        self._sorted_ix = by_key.astype(np.int32)
        same = np.flatnonzero(self._sorted_keys[1:] == self._sorted_keys[:-1])
        if same.size:
            a, b = (item_ids[int(by_key[same[0] + d])] for d in (0, 1))
            raise DataError(
                f"products {a!r} and {b!r} have the same 63-bit key; rename one of them."
            )
        # Keys are uniform, so their top bits say where to look in the sorted keys: one or two
        # steps instead of a binary search.
        bits = max(1, len(keys).bit_length() + 1)
        self._shift = 63 - bits
        edges = np.arange((1 << bits) + 1, dtype=np.uint64) << np.uint64(self._shift)
        self._start = np.searchsorted(self._sorted_keys.view(np.uint64), edges).astype(np.int32)
        self._depth = int(np.diff(self._start).max(initial=0))
        # One more than any position, so that a look past the end is a miss and no error.
        self._sorted_keys = fixed(np.append(self._sorted_keys, np.int64(-1)))
        self._sorted_ix = fixed(np.append(self._sorted_ix, np.int32(-1)))
        self._start = fixed(self._start)

    @property
    def search(self) -> tuple[int, int, IxArray, IntArray, IxArray]:
        """What compiled loops look keys up with: shift, depth, starts, sorted keys, positions."""
        return self._shift, self._depth, self._start, self._sorted_keys, self._sorted_ix

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.keys)

    def ix(self, keys: npt.ArrayLike) -> IxArray:
        """Return the position of each key.

        Parameters
        ----------
        keys : array_like of any shape, int64
            Products' keys.

        Returns
        -------
        ndarray of the same shape, int32
            -1 where the catalogue has no such product.
        """
        wanted = np.ascontiguousarray(keys, dtype=np.int64)
        found: IxArray = _place_all(fixed(wanted.ravel()), *self.search)
        return found.reshape(wanted.shape)

    def ix_of(self, item_ids: Iterable[str]) -> IxArray:
        """Return the position of each id.

        Parameters
        ----------
        item_ids : iterable of str
            Products' ids, as in the catalogue.

        Returns
        -------
        ndarray of shape (n_ids,), int32
            -1 for a product that the catalogue does not have.
        """
        return self.ix(item_keys(item_ids))
