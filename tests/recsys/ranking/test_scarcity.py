"""What is scarce for several questions at once, against a loop over the stock as it was told."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import Lists, location_key
from recsys.ranking.availability import Availability
from recsys.ranking.scarcity import scarce

NOW, MAX_AGE = 1_700_000_000, 3_600
PLACES = [location_key("north"), location_key("south")]
N_ITEMS = 4

stock = st.dictionaries(
    st.tuples(st.sampled_from(PLACES), st.integers(0, N_ITEMS - 1)),
    st.tuples(st.integers(0, 4), st.integers(0, 2 * MAX_AGE)),  # pieces, and how long ago
    min_size=1,
)
question = st.tuples(
    st.sampled_from([0, *PLACES, location_key("elsewhere")]),
    st.sampled_from([0, MAX_AGE]),
    st.sampled_from([0.0, 1.0, 3.0]),
    st.lists(st.integers(0, N_ITEMS - 1), max_size=5),
)


@given(stock=stock, partial=st.sets(st.sampled_from(PLACES)), asked=st.lists(question, max_size=4))
def test_fewer_pieces_than_wanted_are_scarce_where_and_when_it_is_asked(stock, partial, asked):
    keys, items = np.array(sorted(stock)).T
    told = [stock[pair] for pair in sorted(stock)]
    pieces = np.array([float(n) for n, _ in told])
    times = np.array([NOW - age for _, age in told])
    arrays = keys, items.astype(np.int32), pieces, sorted(partial), np.zeros(len(told)), times
    built = Availability.build(np.ones(N_ITEMS, bool), *arrays)
    built = replace(built, max_age_seconds=MAX_AGE)

    known = dict(stock)  # a whole list says of what is not on it that there is none
    for place in {place for place, _ in stock} - partial:
        oldest = max(age for (other, _), (_, age) in stock.items() if other == place)
        known = {(place, item): (0, oldest) for item in range(N_ITEMS)} | known

    def is_scarce(key, later, below, item):
        left = [
            n
            for (place, of), (n, age) in known.items()
            if of == item and place in ([key] if key else PLACES) and age + later <= MAX_AGE
        ]
        return bool(left) and sum(left) < below

    found = scarce(
        built,
        Lists.of_rows([np.array(items, np.int32) for *_, items in asked]),
        np.array([key for key, *_ in asked], np.int64),
        np.array([NOW + later for _, later, *_ in asked], np.int64),
        np.array([below for _, _, below, _ in asked]),
    )
    expected = [is_scarce(*one, item) for *one, items in asked for item in items]
    assert found.tolist() == expected
