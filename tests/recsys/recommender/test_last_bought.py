"""When products were last bought, against a loop over every purchase."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.artefacts.layout import CHOICES
from recsys.datasets.customer_history import EMPTY, MAX_LINES, add_lines
from recsys.datasets.purchase_times import NEVER, choices_bought
from recsys.ranking.choices import Choices
from recsys.recommender.contact_checks import last_bought
from recsys.recommender.engine import Engine
from tests.recsys.models.worlds import AS_OF, DAY
from tests.recsys.ranking.grocer import OTHERS, SIZES, line, training
from tests.recsys.recommender.conftest import parts, write

NAMES = ["pasta", "sauce", *SIZES[:3], "unknown"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    index = training().index
    of = np.arange(len(index), dtype=np.int32)
    of[index.ix_of(SIZES)] = index.ix_of(SIZES).min()
    arrays = {
        f"{CHOICES}.{name}": array
        for name, array in Choices(of, np.zeros(len(index), np.int64)).arrays().items()
    }
    return Engine.load(write(tmp_path_factory.mktemp("bought") / "v1", parts() | arrays))


lines = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(-3, 40), st.sampled_from([2.0, 1.0, -1.0])),
    max_size=12,
)


@given(
    lines=lines,
    full=st.booleans(),
    asked=st.lists(st.sampled_from([*NAMES, "tea"]), max_size=5),
    as_of=st.integers(0, 40),
    since=st.one_of(st.none(), st.integers(0, 40)),
)
def test_the_last_purchase_of_any_of_a_choice_counts(engine, lines, full, asked, as_of, since):
    """Also where later purchases of other products pushed the lines of it out."""
    row = EMPTY
    if lines:
        told = [line(name, days, n, order=at) for at, (name, days, n) in enumerate(lines, 1)]
        row = add_lines(row, np.concatenate(told))
    if full:
        row = add_lines(row, np.concatenate([line(OTHERS[-1], -50)] * MAX_LINES))
        assert len(row.older) == len({name for name, _, _ in lines})
    as_of_ts = AS_OF - as_of * DAY
    since_ts = -math.inf if since is None else AS_OF - since * DAY
    times = {}
    for name, days, pieces in lines:
        if pieces > 0 or full:
            times.setdefault(name, []).append(AS_OF - days * DAY)
    if full:  # of what fell out the last line alone is kept, a return or not
        times = {name: [max(of_name)] for name, of_name in times.items()}
    expected = {}
    for name in {*asked} - {"unknown"}:
        alike = SIZES if name in SIZES else [name]
        counted = [ts for each in alike for ts in times.get(each, ()) if since_ts < ts < as_of_ts]
        if counted:
            expected[name] = max(counted)
    assert last_bought(engine, row, asked, as_of_ts, since_ts) == expected
    names = sorted({*asked} & {*NAMES})
    choices = engine.index.ix_of(engine.choices_of(names))
    of = engine.ranker.all_choices.of
    found = choices_bought(engine.index, of, row, choices, as_of_ts, since_ts).tolist()
    assert {name: ts for name, ts in zip(names, found, strict=True) if ts != NEVER} == expected
