"""A ranker with customers to study it on, as a notebook meets it.

A ranker, its window's customers and own frequency beside it come in; data frames come out. Made
by ``recsys.analysis.workspace``, called from notebooks.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from recsys.datasets import Context, Histories, Ragged, TrainingSet, without_items
from recsys.evaluation import (
    EvaluationSet,
    TopLists,
    bootstrap,
    coverage,
    hit_rate_at,
    ndcg_at,
    recall_at,
    show_ranked,
)
from recsys.evaluation.baselines import Baseline
from recsys.learning import RankingExamples, insight
from recsys.ranking import FEATURE_NAMES, Ensemble, Ranker

if TYPE_CHECKING:
    import pandas as pd

#: Kinds of candidates that features can be moved in.
KINDS: Final = ("bought before", "new")


@dataclass(frozen=True, eq=False)
class RankerStudy:
    """All models and what ranks them, learned as ``omnibasket train`` learns before it judges.

    Attributes
    ----------
    label : str
        As shown in tables.
    ranker : Ranker
    training : TrainingSet
        What the models learned from; ``training.as_of_ts`` is when all knowledge ends.
    customers : EvaluationSet
        Customers of the window that begins there.
    own_frequency : Baseline
        What stands beside, tuned on the validation window.
    seed : int
        Of the bootstrap.
    """

    label: str
    ranker: Ranker
    training: TrainingSet
    customers: EvaluationSet
    own_frequency: Baseline
    seed: int

    def __repr__(self) -> str:
        until = datetime.fromtimestamp(self.training.as_of_ts, UTC)
        return f"{self.label}, knows what was before {until:%Y-%m-%d %H:%M} UTC"

    def lists(self, histories: Histories, context: Context, k: int) -> tuple[Ragged, Ragged]:
        """Show each customer ``k`` products, and ``k`` that are new to them.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            When and where each of them asks; of the same length.
        k : int
            Products of each list, at most.

        Returns
        -------
        shown, new : tuple of Ragged
            n rows each, best first.
        """
        shown = show_ranked(self.ranker, histories, context, k)
        return shown.mixed, shown.new

    def importance(self) -> "pd.DataFrame":
        """Weigh the features by how far trees move candidates apart because of them.

        Returns
        -------
        DataFrame
            One row a feature, the weightiest first: ``group``, ``share`` of everything that trees
            move, and how far in log-odds by the trees for chances (``likely``) and by those
            for the ``order``.

        Raises
        ------
        DataError
            When the ranker has no trees.
        """
        return _frame(insight.feature_importance(self._trees, self.candidates.features), "name")

    def importance_of_groups(self) -> "pd.DataFrame":
        """Sum ``importance`` over the features of each group."""
        weights = insight.feature_importance(self._trees, self.candidates.features)
        return _frame(insight.importance_by_group(weights), "name").drop(columns="group")

    def dependence(
        self, feature: str, among: str | None = None, points: int = 25
    ) -> "pd.DataFrame":
        """Move one feature of real candidates over its range, all others as they are.

        Parameters
        ----------
        feature : str
            One of ``importance``.
        among : {"bought before", "new"}, optional
            The candidates in which it is moved, for their customer; all by default.
        points : int
            Values, at most.

        Returns
        -------
        DataFrame
            By ``value``: log-odds ``added`` on average, with quartiles ``low`` and ``high`` over
            candidates; mean ``chance``.

        Raises
        ------
        DataError
            When there are no trees, or no such feature; names the nearest.
        ValueError
            When ``among`` is no kind of candidates.
        """
        if among is not None and among not in KINDS:
            raise ValueError(f"among must be one of {', '.join(KINDS)}; got {among!r}.")
        candidates = self.candidates
        if among is not None:
            before = candidates.features[:, FEATURE_NAMES.index("own_orders")] > 0
            candidates = candidates.only(before if among == "bought before" else ~before)
        return _frame(insight.partial_dependence(self._trees, candidates, feature, points), "value")

    def by_segment(self, k: int = 10) -> "pd.DataFrame":
        """Say where the ranker wins against own frequency, and where it loses.

        Parameters
        ----------
        k : int
            Places that count.

        Returns
        -------
        DataFrame
            By kind of customers or products: customers ``n``, mean NDCG of ``ours`` and
            ``theirs``, the mean difference ``lead`` with ``low`` and ``high`` of its 95% bootstrap
            interval, and the shares of customers for whom one list is better, ``wins`` and
            ``losses``.
        """
        ours, theirs = (self._shown(by, k) for by in (self.ranker, self.own_frequency))
        found = insight.by_segment(ours, theirs, self.customers, k, self.seed)
        return _frame(found, "by", "segment")

    @cached_property
    def candidates(self) -> RankingExamples:
        """The candidates that trees look at, with their features and whether they were bought."""
        return insight.tree_candidates(self.ranker, self.customers)

    @property
    def _trees(self) -> Ensemble:
        """The trees for requests without a cart."""
        return insight.trees_of(self.ranker).plain

    def _shown(self, by: Ranker | Baseline, k: int) -> TopLists:
        histories, context = self.customers.histories, self.customers.context()
        if isinstance(by, Ranker):
            return show_ranked(by, histories, context, k)
        return by.show(histories, context, k)


def figures_of(
    shown: Ragged, new: Ragged, customers: EvaluationSet, k: int, seed: int
) -> dict[str, float]:
    """Judge what customers would have been shown.

    Parameters
    ----------
    shown, new : Ragged
        Lists of ``k`` products, and of those new to their customer.
    customers : EvaluationSet
    k, seed : int
        Places that count; seed of the bootstrap.

    Returns
    -------
    dict of str to float
        See ``recsys.analysis.workspace.Workspace.evaluate``.
    """
    relevant = customers.relevant()
    metrics: dict[str, Callable[..., Any]] = {
        "ndcg": ndcg_at,
        "recall": recall_at,
        "hr": hit_rate_at,
    }
    figures: dict[str, float] = {}
    for name, metric in metrics.items():
        mean, low, high, _ = bootstrap(metric(shown, relevant, k), seed)
        figures[f"{name}@{k}"] = mean
        if name == "ndcg":
            figures |= {"low": low, "high": high}
    new_values = ndcg_at(new, without_items(relevant, customers.histories), k)
    figures[f"new_ndcg@{k}"] = bootstrap(new_values, seed).mean
    figures[f"coverage@{k}"] = coverage(shown, k, len(customers.index))
    return figures


def _frame(rows: Sequence[Any], *index: str) -> "pd.DataFrame":
    import pandas as pd

    kind = [asdict(row) for row in rows]
    return pd.DataFrame(kind).set_index(list(index)) if kind else pd.DataFrame()
