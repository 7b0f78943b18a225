"""One attribute of many products: what is said of each, and what is told of it later."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.filters import parse_filter
from recsys.ranking.product_attributes import Attribute

said = st.none() | st.sampled_from(["oak", "Oak", "7", "07", "7.0", "", "ä", "18+"])
EVERY = np.arange(6, dtype=np.int32)


@given(
    base=st.lists(said, min_size=6, max_size=6),
    tellings=st.lists(st.dictionaries(st.integers(0, 5), said), max_size=3),
)
def test_what_was_told_counts_as_if_it_had_been_said_at_once(
    base: list[str | None], tellings: list[dict[int, str | None]]
) -> None:
    found = Attribute.of(base)
    for told in tellings:
        found = found.changed(told)
    now = [*base]
    for told in tellings:
        for at, text in told.items():
            now[at] = text
    whole = Attribute.of(now)
    assert [found.text(at) for at in range(6)] == [whole.text(at) for at in range(6)] == now
    for document in (
        {"field": "attributes.x", "value": 7},
        {"field": "attributes.x", "value": "7"},
        {"field": "attributes.x", "op": "in", "value": ["oak", 7.0]},
        {"field": "attributes.x", "op": "lt", "value": 8},
        {"field": "attributes.x", "op": "contains", "value": "OA"},
        {"field": "attributes.x", "op": "exists"},
    ):
        one = parse_filter(document)
        assert found.allows(one, EVERY).tolist() == whole.allows(one, EVERY).tolist()  # type: ignore[arg-type]
    base_again = Attribute.of(base)
    assert [base_again.text(at) for at in range(6)] == base
