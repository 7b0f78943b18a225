"""In which time zones a customer may be, by the stores that they are known to go to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import EMPTY, add_lines, location_key
from recsys.datasets.customer_history import LINES
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveLocation
from recsys.recommender.contact_checks import possible_zones
from recsys.recommender.engine import Engine
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import STORE, WAREHOUSE
from tests.recsys.recommender.conftest import catalogue, write

PARIS, TOKYO, ROME = "Europe/Paris", "Asia/Tokyo", "Europe/Rome"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    columns = catalogue()
    names = columns["locations"]["location_id"]
    zones = {STORE: PARIS, WAREHOUSE: TOKYO}
    columns["locations"]["time_zone"] = [zones[name] for name in names]
    made = Engine.load(write(tmp_path_factory.mktemp("zones") / "v1", columns=columns))
    places = [
        LiveLocation("rome", time_zone=ROME),
        LiveLocation("depot", kind="online", time_zone="Asia/Seoul"),
        LiveLocation("odd", time_zone="CET-1"),  # told before such were refused
        LiveLocation("mute"),
    ]
    return made.with_updates(CatalogueUpdates(locations={one.location_id: one for one in places}))


def bought_at(*names):
    lines = np.zeros(len(names), LINES)
    lines["ts"], lines["quantity"] = AS_OF - 60, 1
    lines["location"] = [location_key(name) for name in names]
    return add_lines(EMPTY, lines) if names else EMPTY


@given(
    at=st.one_of(
        st.none(), st.sampled_from([STORE, WAREHOUSE, "rome", "depot", "odd", "mute", "?"])
    ),
    bought=st.lists(st.sampled_from([STORE, WAREHOUSE, "rome", "depot", "odd", "mute", "?"])),
)
def test_the_store_of_the_question_counts_first_then_all_that_they_bought_at(engine, at, bought):
    known = {STORE: PARIS, "rome": ROME}  # stores alone, and zones that there are
    there = {known[name] for name in bought if name in known}
    wanted = {known[at]} if at in known else there
    assert possible_zones(engine, bought_at(*bought), at) == tuple(sorted(wanted))


def test_an_artefact_of_before_knows_no_zones(tmp_path):
    columns = catalogue()
    del columns["locations"]["time_zone"]
    older = Engine.load(write(tmp_path / "v1", columns=columns))
    assert possible_zones(older, bought_at(STORE), STORE) == ()
