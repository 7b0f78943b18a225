"""What every model is: settings in, arrays learned, scored products out.

A batch of histories and the context of each request come in; ragged lists of products come out.
Called by ``ranking`` for requests and by ``learning``, through the same methods: a request is a
batch of one. A model works on a whole batch, in compiled loops over its rows (``kernels`` has what
models share); within a row numbers are added in the order of the evidence, whatever stands beside
it, so that an answer is the same to the last bit alone and among others.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from recsys.datasets import Batch, Context, Floats, Histories, Lists, Ragged
from recsys.errors import NotFittedError
from recsys.models.kernels.top_k import Recommendations, top_of_new

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet  # scoring needs no engine

__all__ = [
    "Arrays",
    "Batch",
    "Context",
    "Floats",
    "Model",
    "Recommendations",
    "Scores",
]

_UNFITTED: Final = "the model `{}` has learned nothing yet: call `fit`."

Scores = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]


class Model(ABC):
    """Base of all models: what is asked of them, and what the models' own code must give.

    A subclass takes its settings in ``__init__`` and does nothing else there. ``fit`` replaces
    everything learned. Learned arrays are named in ``learned`` and end in ``_``; they are of
    the items only, never of the customers.
    """

    name: ClassVar[str]
    learned: ClassVar[tuple[str, ...]]

    @abstractmethod
    def __init__(self, settings: Any = None) -> None:
        """Take the settings; the defaults of ``recsys.config.settings`` where there are none."""
        self.settings = settings

    @abstractmethod
    def fit(self, training: "TrainingSet") -> Self:
        """Learn from the purchases before ``training.as_of_ts``; replaces what was learned.

        Parameters
        ----------
        training : TrainingSet
            What the model may look at; a model takes from it what it needs, for example orders,
            interactions or products.

        Returns
        -------
        Self
            This model.
        """

    @property
    @abstractmethod
    def n_items(self) -> int:
        """Size of the catalogue that was learned."""

    @abstractmethod
    def _top(self, batch: Batch, n: int) -> Recommendations:
        """The best ``n`` products with a score for each customer."""

    @abstractmethod
    def _score(self, batch: Batch, items: Lists) -> Scores:
        """Scores of given products, one list a customer; 0 where there is none."""

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
        return self.candidates_of(Batch(histories, context), n, new_only=new_only)

    def candidates_of(self, batch: Batch, n: int, *, new_only: bool = False) -> Recommendations:
        """Return ``candidates`` of a batch that other models are asked about too.

        Parameters
        ----------
        batch : Batch
            Histories and contexts; what models work out of them is kept there and shared.
        n : int
            Products wanted for each customer, at least 1.
        new_only : bool
            Leave out what the customer ever bought; by default it may be among them.

        Returns
        -------
        Recommendations
            As of ``candidates``.
        """
        past = batch.histories
        self._check_catalogue(past)
        if not new_only:
            return self._top(batch, n)
        most = int(np.diff(past.indptr).max(initial=0))
        return top_of_new(self._top(batch, n + most), (past.indptr, past.item_ix), self.n_items, n)

    def recommend(
        self, histories: Histories, n: int, context: Context, *, new_only: bool = False
    ) -> Recommendations:
        """Return ``candidates``: what this model alone would show.

        Parameters
        ----------
        histories : Histories
            Of the customers who ask.
        n : int
            Products wanted for each customer, at least 1.
        context : Context
            When and where each asks; of the same length.
        new_only : bool
            Leave out what the customer ever bought; by default it may be among them.

        Returns
        -------
        Recommendations
            As of ``candidates``.
        """
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
        return self.scores_of(Batch(histories, context), items)

    def scores_of(self, batch: Batch, items: Ragged) -> Scores:
        """Return ``score`` for a batch that other models are asked about too.

        Parameters
        ----------
        batch : Batch
            Histories and contexts; what models work out of them is kept there and shared.
        items : Ragged
            The products of each row.

        Returns
        -------
        ndarray of the length of ``items.item_ix``, float32
            As of ``score``.
        """
        self._check_catalogue(batch.histories)
        indptr, item_ix = np.asarray(items.indptr, np.int64), np.asarray(items.item_ix, np.int32)
        return self._score(batch, Lists(indptr, item_ix))

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
        settings : the model's section of ``recsys.config.model_settings.ModelSettings``
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
        if histories is None or context is None:
            if not hasattr(self, self.learned[-1]):
                raise NotFittedError(_UNFITTED.format(self.name))
            return
        if len(histories) != len(context):
            raise ValueError(f"{len(histories)} histories, but the context of {len(context)}.")
        self._check_catalogue(histories)

    def _check_catalogue(self, histories: Histories) -> None:
        if not hasattr(self, self.learned[-1]):
            raise NotFittedError(_UNFITTED.format(self.name))
        if histories.n_items != self.n_items:
            raise ValueError(
                f"the histories are over a catalogue of {histories.n_items} products, the model "
                f"`{self.name}` learned one of {self.n_items}: take both from one artefact."
            )
