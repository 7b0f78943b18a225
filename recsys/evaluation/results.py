"""The results of an evaluation as plain values: figures, differences and samples.

Made by ``summarise``; training prints them and stores them in the artefact's manifest.
"""

from dataclasses import dataclass
from typing import Final

OURS: Final = "omnibasket"
#: Our best single model; see ``single_model``.
BEST_SINGLE: Final = "best_single"
ALL_CUSTOMERS: Final = "all"


@dataclass(frozen=True)
class Figure:
    """One figure of one method.

    Attributes
    ----------
    segment : str
        ``all``, the channel that was bought on, or the window.
    method, metric : str
        For example ``omnibasket``, ``ndcg@10``.
    value, low, high : float
        Mean and its 95% bootstrap interval; of ``coverage`` only the value.
    n : int
        Customers.
    """

    segment: str
    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """Mean difference between our metric and that of another method, over the same customers.

    Attributes
    ----------
    segment, metric : str
    other : str
        The best other method.
    value, low, high : float
        Mean difference and its 95% bootstrap interval.
    """

    segment: str
    metric: str
    other: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Sample:
    """Customers who were drawn from more.

    Attributes
    ----------
    segment : str
    drawn, of : int
        Customers, of all windows together.
    """

    segment: str
    drawn: int
    of: int


@dataclass(frozen=True)
class Evaluation:
    """All results of an evaluation.

    Attributes
    ----------
    figures : list of Figure
    differences : list of Difference
        To the best method that is not ours.
    over_single : list of Difference
        To ``BEST_SINGLE``, if it was evaluated.
    samples : list of Sample
        Segments of which only a sample was evaluated.
    """

    figures: list[Figure]
    differences: list[Difference]
    over_single: list[Difference]
    samples: list[Sample]

    def value(self, method: str, metric: str, segment: str = ALL_CUSTOMERS) -> float:
        """One figure's value.

        Parameters
        ----------
        method : str
            For example ``omnibasket``, or the name of a baseline.
        metric : str
            With its cutoff where it has one, for example ``ndcg@10``.
        segment : str
            A channel or a window; all customers together by default.

        Returns
        -------
        float
            In the unit of the metric.
        """
        return next(
            figure.value
            for figure in self.figures
            if (figure.segment, figure.method, figure.metric) == (segment, method, metric)
        )
