"""What is told of a share of new products is what plain counting of the same lists gives."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from recsys.config.toml_file import PLACEMENTS
from recsys.datasets.customer_history import Histories
from recsys.datasets.ragged import Lists
from recsys.evaluation import discovery_cost
from recsys.evaluation.discovery_cost import Questions
from recsys.ranking.choices import Choices
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking import grocer

N = 30
INDEX = grocer.training().index


def choices():
    """Neighbours in the catalogue are one choice."""
    of = np.arange(len(INDEX), dtype=np.int32)
    of[21:60:2] = of[20:60:2]
    return Choices(of, np.zeros(len(INDEX), np.int64))


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(1)
    names = np.array(INDEX.item_ids)
    some = [rng.choice(names[20:80], 9, replace=False) for _ in range(N)]
    rows = [grocer.bought(*((name, days) for name in mine for days in (2, 9))) for mine in some]
    relevant = [INDEX.ix_of(np.append(mine[:3], rng.choice(names, 2)).tolist()) for mine in some]
    at = np.full(N, AS_OF)
    nothing = Lists.of_rows([np.empty(0, np.int32)] * N)
    page = Lists.of_rows([INDEX.ix_of([str(rng.choice(names[80:]))]) for _ in range(N)])
    histories = Histories.from_rows(rows, INDEX, at)
    lists = Lists.of_rows([np.unique(items) for items in relevant])
    # Two questions of one customer count as one customer.
    customer = np.arange(N) // 2
    return {
        "customer": Questions(histories, at, nothing, nothing, lists, np.arange(N)),
        "product": Questions(histories, at, nothing, page, lists, customer),
        "cart": Questions(histories, at, page, nothing, lists, customer),
    }


def measured(customers, **placements):
    found = discovery_cost.measure_discovery(grocer.ranker(), choices(), customers, placements, 0)
    return {(one.placement, one.asked): one for one in found}


def plainly(customers, way, settings):
    """Share of new, NDCG by choice and whether a new one was found, question by question."""
    of, asked = choices().of, customers[way]
    settings = msgspec.structs.replace(settings, in_stock=False)
    shown = discovery_cost._shown(replace(grocer.ranker(), choices=choices()), asked, settings)
    told = []
    for r, items in enumerate(shown):
        past = {int(of[ix]) for ix in asked.histories[r : r + 1].item_ix}
        relevant = {int(of[ix]) for ix in asked.relevant.row(r).item_ix}
        seen = [int(of[ix]) for ix in items]
        gain = sum(1 / math.log2(at + 2) for at, one in enumerate(seen) if one in relevant)
        ideal = sum(1 / math.log2(at + 2) for at in range(min(len(relevant), settings.count)))
        fresh = [one for one in seen if one not in past]
        told.append((len(fresh) / len(seen), gain / ideal, bool(relevant & set(fresh))))
    columns = np.array(told, float)
    people_of = asked.customer
    return np.array([columns[people_of == who].mean(axis=0) for who in np.unique(people_of)]).mean(
        axis=0
    )


@pytest.mark.parametrize("name", ["web_product", "web_cart", "web_home"])
def test_the_figures_are_those_of_counting(customers, name):
    settings = msgspec.structs.replace(PLACEMENTS[name], new_share=0.5)
    (one,) = measured(customers, **{name: settings}).values()
    for share, figures in (
        (0.5, (one.shown_new, one.ndcg, one.found_new)),
        (0.0, (one.shown_new_without, one.ndcg_without, one.found_new_without)),
    ):
        of = msgspec.structs.replace(settings, new_share=share)
        assert figures == pytest.approx(plainly(customers, one.asked, of))
    assert one.cost == pytest.approx(one.ndcg_without - one.ndcg)
    assert one.cost_low <= one.cost <= one.cost_high
    assert one.shown_new >= 0.5
    assert (one.k, one.new_share) == (settings.count, 0.5)


def test_every_personal_placement_is_measured_as_it_is_asked(customers):
    own = msgspec.structs.replace(PLACEMENTS["web_home"], new_share=0.3)
    new = msgspec.structs.replace(PLACEMENTS["web_home"], objective="new")
    found = measured(customers, **PLACEMENTS, app_home=own, app_new=new)
    assert {placement for placement, _ in found} == {*PLACEMENTS, "app_home"} - {"store_screen"}
    assert {way for placement, way in found if placement == "app_home"} == {
        "customer",
        "product",
        "cart",
    }
    assert ("web_product", "product") in found
    assert ("web_cart", "cart") in found
    plain = found["email_weekly", "customer"]
    assert (plain.cost, plain.shown_new) == (0.0, plain.shown_new_without)


def test_where_hardly_anybody_asks_nothing_is_told(customers):
    few = {
        name: replace(asked, customer=np.zeros(N, np.int64)) for name, asked in customers.items()
    }
    assert measured(few, **PLACEMENTS) == {}
