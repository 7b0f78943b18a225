"""The results of an evaluation as plain values: figures, differences and samples.

Made by ``summarise``; training prints them and stores them in the artefact's manifest.
"""

from dataclasses import dataclass
from typing import Final

OURS: Final = "omnibasket"
#: The best single model; see ``single_model``.
BEST_SINGLE: Final = "best_single"
ALL_CUSTOMERS: Final = "all"


@dataclass(frozen=True)
class Figure:
    """One figure of one method.

    Attributes
    ----------
    segment : str
        ``all``, the channel of purchase, or the window.
    method, metric : str
        For example ``omnibasket``, ``ndcg@10``.
    value, low, high : float
        Mean and its 95% bootstrap interval; for ``coverage`` only the value.
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
    """Mean difference in a metric between Omnibasket and another method, same customers.

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
    """A sample of a segment's customers.

    Attributes
    ----------
    segment : str
    drawn, of : int
        Numbers of customers over all windows: sampled, and in total.
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
        To the best other method.
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
        """Return the value of one figure.

        Parameters
        ----------
        method : str
            For example ``omnibasket``, or the name of a baseline.
        metric : str
            With its cutoff if it has one, for example ``ndcg@10``.
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
