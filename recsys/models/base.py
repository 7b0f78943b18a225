"""What every model is: settings in, arrays learned, scored products out.

A batch of histories and the context of each request come in; ragged lists of products come out.
Called by ``ranking`` for requests and by ``training``, through the same methods: a request is a
batch of one, and every row is worked out by itself, so both give the same answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import NotFittedError
from recsys.matrices.histories import NO_CHANNEL, Histories
from recsys.matrices.ids import IntArray, IxArray
from recsys.matrices.lists import Lists, Ragged

if TYPE_CHECKING:
    from recsys.matrices.baskets import Training  # scoring needs no engine

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]

DAY: Final = 86_400

#: From this many entries on, cutting to the best is cheaper than sorting all.
_WORTH_CUTTING: Final = 200


@dataclass(frozen=True)
class Context:
    """When and where each of ``n`` questions is asked, and what lies in the cart.

    Attributes
    ----------
    as_of_ts : ndarray of shape (n,), int64
        UTC epoch seconds.
    location : ndarray of shape (n,), int64
        ``ids.location_key``; 0 for none.
    channel : ndarray of shape (n,), uint8
        Index into ``schema.CHANNELS``; ``histories.NO_CHANNEL`` for none.
    cart : Lists
        Products in the cart, or being looked at.
    """

    as_of_ts: IntArray
    location: IntArray
    channel: npt.NDArray[np.uint8]
    cart: Lists

    @classmethod
    def of(
        cls,
        n: int,
        as_of_ts: npt.ArrayLike,
        *,
        location: npt.ArrayLike = 0,
        channel: npt.ArrayLike = NO_CHANNEL,
        cart: Sequence[npt.ArrayLike] | None = None,
    ) -> "Context":
        """Make the context of ``n`` questions; one value stands for all.

        Parameters
        ----------
        n : int
        as_of_ts, location, channel : scalar, or array_like of shape (n,)
        cart : sequence of array_like, length n, optional
            Item indices of each cart, -1 for a product that is not in the catalogue; empty
            carts by default.

        Raises
        ------
        ValueError
            When there is not one cart for each question.
        """
        carts = [np.asarray(items, np.int32) for items in cart or [()] * n]
        if len(carts) != n:
            raise ValueError(f"{len(carts)} carts for {n} questions.")
        carts = [items[items >= 0] for items in carts]
        return cls(
            np.broadcast_to(np.asarray(as_of_ts, np.int64), (n,)),
            np.broadcast_to(np.asarray(location, np.int64), (n,)),
            np.broadcast_to(np.asarray(channel, np.uint8), (n,)),
            Lists.of_rows(carts),
        )

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.as_of_ts)

    def __getitem__(self, rows: slice) -> "Context":
        """Return a range of questions."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError(f"rows are cut in ranges with step 1, got {step}.")
        stop = max(start, stop)
        indptr = self.cart.indptr
        cart = Lists(
            indptr[start : stop + 1] - indptr[start],
            self.cart.item_ix[indptr[start] : indptr[stop]],
        )
        return Context(self.as_of_ts[rows], self.location[rows], self.channel[rows], cart)


class Recommendations(NamedTuple):
    """One list of products for each of ``n`` customers, best first, as long as there are any.

    Attributes
    ----------
    indptr : ndarray of shape (n + 1,), int64
        Row ``r`` is ``indptr[r]:indptr[r + 1]`` of the other arrays.
    item_ix : ndarray, int32
        Each product once a row.
    scores : ndarray, float32
        Falling within a row; equal ones by ``item_ix``. Comparable within a model only.
    """

    indptr: IntArray
    item_ix: IxArray
    scores: Scores

    def row(self, r: int) -> tuple[IxArray, Scores]:
        """Return the products and scores of one customer."""
        part = slice(self.indptr[r], self.indptr[r + 1])
        return self.item_ix[part], self.scores[part]


@dataclass(frozen=True, slots=True)
class Row:
    """One customer's question, as a model's own code sees it.

    Attributes
    ----------
    item_ix, ts, count : ndarray of shape (n_purchases,)
        What was bought and kept, see ``Histories.purchases``.
    as_of_ts, location, channel : int
        See ``Context``.
    cart : ndarray, int32
    """

    item_ix: IxArray
    ts: IntArray
    count: IxArray
    as_of_ts: int
    location: int
    channel: int
    cart: IxArray

    def decay(self, half_life_days: float) -> Floats:
        """Return what each purchase counts now: 1 when new, half after ``half_life_days``."""
        age_days = np.maximum(self.as_of_ts - self.ts, 0) / DAY
        return np.asarray(np.exp2(-age_days / half_life_days), np.float64)


class Model(ABC):
    """Base of all models: the loop over customers, and what the models' own code must give.

    A subclass takes its settings in ``__init__`` and does nothing else there. ``fit`` replaces
    everything learned. Learned arrays are named in ``learned`` and end in ``_``; they are of
    the items only, never of the customers.
    """

    name: ClassVar[str]
    learned: ClassVar[tuple[str, ...]]

    @abstractmethod
    def __init__(self, settings: Any = None) -> None:
        """Take the settings; the defaults of ``recsys.settings`` where there are none."""
        self.settings = settings

    @abstractmethod
    def fit(self, training: "Training") -> Self:
        """Learn from the purchases before ``training.as_of_ts``; replaces what was learned."""

    @property
    @abstractmethod
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""

    @abstractmethod
    def _best(self, row: Row, n: int) -> tuple[IxArray, Scores]:
        """Products with a score for one customer: the best ``n`` at least, in any order."""

    @abstractmethod
    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        """Scores of given products for one customer; 0 where there is none."""

    def candidates(
        self, histories: Histories, context: Context, n: int, *, new_only: bool = False
    ) -> Recommendations:
        """Find the best products of each customer.

        Parameters
        ----------
        histories : Histories
            Of the customers who ask.
        context : Context
            Of the same length.
        n : int
            Products wanted for each customer, at least 1.
        new_only : bool
            Leave out what the customer ever bought.

        Returns
        -------
        Recommendations
            Shorter lists where fewer products have a score; nothing is padded.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            When histories and context differ in length, or the catalogue is another one.
        """
        self._check(histories, context)
        items: list[IxArray] = []
        scores: list[Scores] = []
        bounds = histories.indptr.tolist()
        for r, row in enumerate(rows(histories, context)):
            if new_only:
                owned = np.unique(histories.item_ix[bounds[r] : bounds[r + 1]])
                found, score = self._best(row, n + len(owned))
                new = ~np.isin(found, owned)
                found, score = best(found[new], score[new], n)
            else:
                found, score = best(*self._best(row, n), n)
            items.append(found)
            scores.append(score)
        lists = Lists.of_rows(items)
        flat = np.concatenate(scores) if scores else np.empty(0, np.float32)
        return Recommendations(lists.indptr, lists.item_ix, flat)

    def recommend(
        self, histories: Histories, n: int, context: Context, *, new_only: bool = False
    ) -> Recommendations:
        """Return ``candidates``: what this model alone would show."""
        return self.candidates(histories, context, n, new_only=new_only)

    def score(self, histories: Histories, context: Context, items: Ragged) -> Scores:
        """Score given products.

        Parameters
        ----------
        histories : Histories
        context : Context
            Of the same length.
        items : Ragged
            The products of each row, for example ``Lists`` or ``Recommendations``.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, float32
            As in ``candidates``; 0 where the model has no score.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            When histories and context differ in length, or the catalogue is another one.
        """
        self._check(histories, context)
        item_ix = np.asarray(items.item_ix, np.int32)
        scores = np.zeros(len(item_ix), np.float32)
        bounds = items.indptr.tolist()
        for r, row in enumerate(rows(histories, context)):
            part = slice(bounds[r], bounds[r + 1])
            scores[part] = self._score(row, item_ix[part])
        return scores

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what was learned, by name without the underscore.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._check()
        return {name.rstrip("_"): np.asarray(getattr(self, name)) for name in self.learned}

    @classmethod
    def from_arrays(cls, settings: Any, arrays: Arrays) -> Self:
        """Rebuild a fitted model, without copying.

        Parameters
        ----------
        settings : the model's section of ``recsys.settings.Models``
            As it was fitted with.
        arrays : mapping of str to ndarray
            What ``arrays`` returned, for example memory-mapped.

        Raises
        ------
        KeyError
            When an array is missing.
        """
        model = cls(settings)
        for name in cls.learned:
            setattr(model, name, arrays[name.rstrip("_")])
        return model

    def _check(self, histories: Histories | None = None, context: Context | None = None) -> None:
        if not hasattr(self, self.learned[-1]):
            raise NotFittedError(f"the model `{self.name}` has learned nothing yet: call `fit`.")
        if histories is None or context is None:
            return
        if len(histories) != len(context):
            raise ValueError(f"{len(histories)} histories, but the context of {len(context)}.")
        if histories.n_items != self.n_items:
            raise ValueError(
                f"the histories are over a catalogue of {histories.n_items} products, the model "
                f"`{self.name}` learned one of {self.n_items}: take both from one artefact."
            )


def best(item_ix: IxArray, scores: Scores, n: int) -> tuple[IxArray, Scores]:
    """Sort by falling score, equal ones by item, and keep the first ``n``."""
    if len(scores) > max(_WORTH_CUTTING, 2 * n):
        bar = np.partition(scores, len(scores) - n)[len(scores) - n]
        keep = np.flatnonzero(scores >= bar)  # everything equal to the last one, too
        item_ix, scores = item_ix[keep], scores[keep]
    order = np.lexsort((item_ix, -scores))[:n]
    return item_ix[order], scores[order]


def rows(histories: Histories, context: Context) -> Sequence[Row]:
    """Cut a batch into one question a customer, with what each bought and kept."""
    bought = histories.purchases
    bounds, carts = bought.indptr.tolist(), context.cart.indptr.tolist()
    return [
        Row(
            bought.item_ix[bounds[r] : bounds[r + 1]],
            bought.ts[bounds[r] : bounds[r + 1]],
            bought.count[bounds[r] : bounds[r + 1]],
            as_of_ts,
            location,
            channel,
            context.cart.item_ix[carts[r] : carts[r + 1]],
        )
        for r, (as_of_ts, location, channel) in enumerate(
            zip(
                context.as_of_ts.tolist(),
                context.location.tolist(),
                context.channel.tolist(),
                strict=True,
            )
        )
    ]


def look_up(items: IxArray, scores: Scores, wanted: IxArray) -> Scores:
    """Return the score of each wanted item, 0 where ``items`` (ascending) do not hold it."""
    if not len(items):
        return np.zeros(len(wanted), np.float32)
    at = np.minimum(np.searchsorted(items, wanted), len(items) - 1)
    return np.where(items[at] == wanted, scores[at], np.float32(0))
