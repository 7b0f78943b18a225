"""Which model names what is then bought."""

import pytest

from recsys.matrices.baskets import Training
from recsys.models import Popular, Repeat
from recsys.ranking.candidates import COLUMNS, MODELS
from recsys.ranking.parts import Parts
from recsys.ranking.rank import Ranker
from recsys.validation import panel
from recsys.validation.origins import TOGETHER, origins
from tests.recsys.validation.test_evaluate import shelf_of
from tests.recsys.validation.test_panel import WINDOW, crowd, line


def test_shares_worked_by_hand(write_history):
    """A dozen bought apples; one of them cheese, too. In the window: bread, and apples again."""
    more = [line("a00", "cheese", 99), line("x", "bread", 99)]
    more += [line(f"a{n:02}", "apple", 111) for n in range(4)]
    history = write_history(crowd() + more)
    training = Training.read(history, WINDOW.start_ts)
    people = panel.read(history, training.index, WINDOW, active=50)
    models = {"popular": Popular().fit(training), "repeat": Repeat().fit(training)}
    blends = (Parts(columns) for columns in (MODELS, COLUMNS))
    ranker = Ranker(training.index, models, *blends, shelf_of(training))
    popular, repeat, together = origins(ranker, people, 2)
    # 16 wishes: 12 times bread, new to all, and 4 times apples, known to all
    assert repeat.recall == pytest.approx(4 / 16)
    assert repeat.new_recall == 0.0
    assert repeat.candidates == pytest.approx(13 / 12)
    assert (together.source, together.recall) == (TOGETHER, pytest.approx(popular.recall))
    assert popular.alone == pytest.approx(popular.recall - 4 / 16)
    assert popular.new_alone == popular.new_recall == together.new_recall
