"""What the trees were taught is what is found in them, and leads are those worked by hand."""

import numpy as np
import pytest

from recsys.config.model_settings import RankerSettings as Settings
from recsys.datasets.ragged import Lists
from recsys.errors import DataError
from recsys.evaluation import evaluation_set
from recsys.evaluation.top_lists import TopLists
from recsys.learning.boosting import RankingExamples, binary_parameters, boost
from recsys.learning.insight import (
    GROUP_OF,
    by_segment,
    feature_importance,
    importance_by_group,
    partial_dependence,
)
from recsys.ranking.boosted_trees import FEATURE_NAMES, Ensemble
from recsys.ranking.trees import Trees
from tests.recsys.conftest import WriteHistory
from tests.recsys.evaluation.test_evaluation_set import INDEX, WINDOW, crowd, line

FIRST, SECOND = "own_recency", "item_season"


@pytest.fixture(scope="module")
def candidates() -> RankingExamples:
    """Bought is what was bought lately, and of that more in season."""
    rng = np.random.default_rng(3)
    m = 3_000
    features = rng.random((m, len(FEATURE_NAMES))).astype(np.float32)
    first, second = (features[:, FEATURE_NAMES.index(name)] for name in (FIRST, SECOND))
    bought = rng.random(m) < 0.1 + 0.6 * (first < 0.5) + 0.2 * (second > 0.5)
    return RankingExamples(
        features, bought, np.arange(m) // 10, np.ones(m), np.zeros(m), np.arange(m // 10)
    )


@pytest.fixture(scope="module")
def ensemble(candidates: RankingExamples) -> Ensemble:
    likely = boost(candidates, 30, binary_parameters(Settings(min_examples=50), seed=0, threads=1))
    return Ensemble(likely, Trees.none(), np.array([-3.0, 3.0]), np.array([0.05, 0.95]))


def test_what_decides_weighs_most(candidates: RankingExamples, ensemble: Ensemble) -> None:
    weights = feature_importance(ensemble, candidates.features)
    assert [one.name for one in weights[:2]] == [FIRST, SECOND]
    assert sum(one.share for one in weights) == pytest.approx(1)
    assert {one.name for one in weights} == set(FEATURE_NAMES)
    assert all(one.order == 0 for one in weights)
    groups = importance_by_group(weights)
    assert groups[0].name == "own purchases of the product"
    assert sum(one.share for one in groups) == pytest.approx(1)
    assert len(GROUP_OF) == len(FEATURE_NAMES)


def test_what_moves_all_alike_weighs_nothing(
    candidates: RankingExamples, ensemble: Ensemble
) -> None:
    same = np.repeat(candidates.features[:1], 50, axis=0)
    assert all(one.likely < 1e-9 for one in feature_importance(ensemble, same))


def test_a_feature_moves_candidates_the_way_that_it_was_taught(
    candidates: RankingExamples, ensemble: Ensemble
) -> None:
    steps = partial_dependence(ensemble, candidates, FIRST, points=9)
    assert [one.value for one in steps] == sorted(one.value for one in steps)
    early, late = steps[1], steps[-2]
    assert early.added > late.added + 1
    assert early.chance > late.chance
    assert all(one.low <= one.added + 0.2 and one.added - 0.2 <= one.high for one in steps)
    little = partial_dependence(ensemble, candidates, "customer_tenure_days", points=9)
    assert np.ptp([one.added for one in little]) < 0.5 * (early.added - late.added)
    with pytest.raises(DataError, match="Did you mean `own_recency`"):
        partial_dependence(ensemble, candidates, "own_recensy")


def test_leads_worked_by_hand(write_history: WriteHistory) -> None:
    """All buy bread, new to them; three bought more often before, one of them online, too."""
    more = [
        line("a00", "apple", 80),
        line("a00", "cheese", 70, channel="web"),
        line("a01", "apple", 80),
        line("a02", "apple", 80),
    ]
    again = [line("a03", "apple", 111), line("a03", "apple", 112)]
    history = write_history(crowd() + more + again)
    index = INDEX
    customers = evaluation_set.read(history, index, WINDOW, active=50)
    apple, bread = index.ix_of(["apple"]), index.ix_of(["bread"])
    nothing = Lists.of_rows([apple[:0]] * len(customers))
    both = Lists.of_rows([np.concatenate([bread, apple])] * len(customers))
    ours = TopLists(
        both, Lists.of_rows([bread] * len(customers)), Lists.of_rows([apple] * len(customers))
    )
    own = Lists.of_rows([apple] * len(customers))
    found = {
        (one.by, one.segment): one
        for one in by_segment(ours, TopLists(own, nothing, own), customers, 2)
    }
    everybody = found["everybody", "all"]
    assert (everybody.n, everybody.ours) == (12, 1.0)
    theirs = 1 / (1 + 1 / np.log2(3)) / 12  # only a03 bought apples again, and bread beside
    assert everybody.theirs == pytest.approx(theirs)
    assert everybody.lead == pytest.approx(1 - theirs)
    assert (everybody.wins, everybody.losses) == (1.0, 0.0)
    assert found["orders before", "heavy"].n == 3
    assert found["orders before", "light"].n == 9
    assert found["channels before", "several"].n == 1
    assert found["channels before", "one"].n == 11
    assert found["products", "new to them"].theirs == 0.0
    assert found["products", "bought before"].n == 1
    assert found["products", "bought before"].lead == 0.0
    assert found["bought then", "mostly new"].n == 11
