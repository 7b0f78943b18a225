"""Sales that training counts for the artefact, against a loop over the lines."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recsys.artefacts import registry
from recsys.config import load_config
from recsys.datasets import location_key
from recsys.history import History
from recsys.recommender import Engine
from recsys.units import DAY
from tests.serving.conftest import shop
from training.train.sales import count_sales

__all__ = ["shop"]


def test_sales_are_those_of_the_lines(shop: Path) -> None:
    config = load_config(shop)
    history, engine = History.open(config), Engine.load(registry.current(config))
    as_of_ts = int(datetime(2026, 2, 20, tzinfo=UTC).timestamp())
    sales = count_sales(history, engine.index, as_of_ts)
    first: dict[str, int] = {}
    net: dict[tuple[str | None, str], float] = defaultdict(float)
    for line in history.table("lines").to_pylist():
        ts = int(line["occurred_at"].timestamp())
        if ts >= as_of_ts:
            continue
        if line["quantity"] > 0:
            first[line["item_id"]] = min(ts, first.get(line["item_id"], ts))
        if ts >= as_of_ts - 28 * DAY:
            net[line["location_id"], line["item_id"]] += float(line["quantity"])
    assert len(net) > 10
    items = np.arange(len(engine.index), dtype=np.int32)
    for location in {name for name, _ in net}:
        found = sales.a_day(np.full(len(items), location_key(location)), items)
        told = [max(0.0, net.get((location, name), 0.0)) / 28 for name in engine.index.item_ids]
        assert found == pytest.approx(np.array(told))
    assert sales.first_ts.tolist() == [first.get(name, -1) for name in engine.index.item_ids]


def test_a_model_knows_the_sales_of_its_history(shop: Path) -> None:
    engine = Engine.load(registry.current(load_config(shop)))
    facts = engine.ranker.filter_data
    assert facts is not None
    assert facts.sales is not None
    assert (facts.sales.pieces_a_day > 0).all()
