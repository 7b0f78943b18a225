"""Which model names what is then bought."""

import pytest

from recsys.datasets.baskets import TrainingSet
from recsys.evaluation import evaluation_set
from recsys.evaluation.recall_by_source import ALL_MODELS, candidate_recall
from recsys.models import Popular, Repeat
from recsys.ranking.candidates import EVIDENCE_COLUMNS, MODEL_COLUMNS
from recsys.ranking.ranker import Ranker
from recsys.ranking.segment_blends import SegmentBlends
from tests.recsys.evaluation.test_evaluation_set import WINDOW, crowd, line
from tests.recsys.evaluation.test_evaluator import shelf_of


def test_shares_worked_by_hand(write_history):
    """A dozen bought apples; one of them cheese, too. In the window: bread, and apples again."""
    more = [line("a00", "cheese", 99), line("x", "bread", 99)]
    more += [line(f"a{n:02}", "apple", 111) for n in range(4)]
    history = write_history(crowd() + more)
    training = TrainingSet.read(history, WINDOW.start_ts)
    customers = evaluation_set.read(history, training.index, WINDOW, active=50)
    models = {"popular": Popular().fit(training), "repeat": Repeat().fit(training)}
    blends = (SegmentBlends(columns) for columns in (MODEL_COLUMNS, EVIDENCE_COLUMNS))
    ranker = Ranker(training.index, models, *blends, shelf_of(training))
    popular, repeat, together = candidate_recall(ranker, customers, 2)
    # 16 wishes: 12 times bread, new to all, and 4 times apples, known to all
    assert repeat.recall == pytest.approx(4 / 16)
    assert repeat.new_recall == 0.0
    assert repeat.candidates == pytest.approx(13 / 12)
    assert (together.source, together.recall) == (ALL_MODELS, pytest.approx(popular.recall))
    assert popular.alone == pytest.approx(popular.recall - 4 / 16)
    assert popular.new_alone == popular.new_recall == together.new_recall
