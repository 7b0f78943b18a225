"""What every model is: settings in, arrays learned, scored products out.

A batch of histories and the context of each request come in; ragged lists of products come out.
Called by ``ranking`` for requests and by ``training``, through the same methods: a request is a
batch of one, and every row is worked out by itself, so both give the same answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.errors import NotFittedError
from recsys.matrices.histories import Histories
from recsys.matrices.ids import IxArray
from recsys.matrices.lists import Lists, Ragged
from recsys.models.naming import Recommendations, new
from recsys.models.questions import DAY, Batch, Context, Floats, Row, rows

if TYPE_CHECKING:
    from recsys.matrices.baskets import Training  # scoring needs no engine

__all__ = [
    "DAY",
    "Arrays",
    "Batch",
    "Context",
    "Floats",
    "Model",
    "Recommendations",
    "Row",
    "Scores",
    "best",
    "look_up",
    "rows",
]

Scores = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]

#: From this many entries on, cutting to the best is cheaper than sorting all.
_WORTH_CUTTING: Final = 200


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

    def _best(self, row: Row, n: int) -> tuple[IxArray, Scores]:
        """Products with a score for one customer: the best ``n`` at least, in any order."""
        raise NotImplementedError

    def _score(self, row: Row, item_ix: IxArray) -> Scores:
        """Scores of given products for one customer; 0 where there is none."""
        raise NotImplementedError

    def _prepare(self, rows: Sequence[Row], n: int) -> None:  # noqa: B027 - optional
        """Work out for many customers at once what ``_best(row, n)`` needs of each.

        Optional, and for speed only: what is left in ``row.scratch`` must be to the last bit
        what ``_best`` would find without it.
        """

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
        return self.name_best(Batch(histories, context), n, new_only=new_only)

    def name_best(self, batch: Batch, n: int, *, new_only: bool = False) -> Recommendations:
        """Return ``candidates`` of a batch that other models are asked about too."""
        past = batch.histories
        self._check(past, batch.context)
        if not new_only:
            return self._name(batch, n)
        most = int(np.diff(past.indptr).max(initial=0))
        return new(self._name(batch, n + most), (past.indptr, past.item_ix), self.n_items, n)

    def _name(self, batch: Batch, n: int) -> Recommendations:
        self._prepare(batch.rows, n)
        found = [best(*self._best(row, n), n) for row in batch.rows]
        lists = Lists.of_rows([items for items, _ in found])
        scores = [score for _, score in found]
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
        return self.judge(Batch(histories, context), items)

    def judge(self, batch: Batch, items: Ragged) -> Scores:
        """Return ``score`` for a batch that other models are asked about too."""
        self._check(batch.histories, batch.context)
        indptr, item_ix = np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32)
        return self._judge(batch, Lists(indptr, item_ix))

    def _judge(self, batch: Batch, items: Lists) -> Scores:
        item_ix = items.item_ix
        scores = np.zeros(len(item_ix), np.float32)
        for row, (start, stop) in zip(batch.rows, pairwise(items.indptr.tolist()), strict=True):
            scores[start:stop] = self._score(row, item_ix[start:stop])
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
        settings : the model's section of ``recsys.model_settings.Models``
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


def look_up(items: IxArray, scores: Scores, wanted: IxArray) -> Scores:
    """Return the score of each wanted item, 0 where ``items`` (ascending) do not hold it."""
    if not len(items):
        return np.zeros(len(wanted), np.float32)
    at = np.minimum(np.searchsorted(items, wanted), len(items) - 1)
    return np.where(items[at] == wanted, scores[at], np.float32(0))
