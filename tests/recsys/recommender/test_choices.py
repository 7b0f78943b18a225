"""Every answer of the engine shows a choice once, on pages, in carts, in offers, and live."""

import numpy as np
import pytest

from recsys.artefacts.layout import CHOICES
from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Decision, Terms
from recsys.config.placement_settings import PlacementRule, PlacementSettings
from recsys.config.settings import BundleSettings
from recsys.config.toml_file import PLACEMENTS
from recsys.datasets.customer_history import EMPTY
from recsys.ranking.choices import Choices
from recsys.recommender.bundles.suggestions import Suggestions
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveItem, LiveStock
from recsys.recommender.engine import Engine
from recsys.recommender.offers import selection
from recsys.recommender.offers.selection import OfferableBundles
from recsys.recommender.placements import Question
from recsys.recommender.product_pages import PageQuestion
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import OTHERS, STORE, WAREHOUSE, bought, training
from tests.recsys.recommender.conftest import parts, write

#: Other products of the bread that one half of the grocer's customers buy, and of the butter.
BREADS, BUTTERS = ("bread", "item010", "item011"), ("butter", "item012")
PEOPLE = [
    EMPTY,
    bought(("bread", 3), ("bread", 10), ("item011", 40), ("item020", 2)),
    bought(("item010", 0.5), ("item100", 20), ("tea", 9)),
]


def choices() -> Choices:
    """Breads, butters, and every four of the other products."""
    index = training().index
    group = {name: f"g{at // 4}" for at, name in enumerate(OTHERS)}
    group |= dict.fromkeys(BREADS, "bread") | dict.fromkeys(BUTTERS, "butter")
    first: dict[str, int] = {}
    of = [first.setdefault(group.get(name, name), at) for at, name in enumerate(index.item_ids)]
    times = np.bincount(training().baskets.items.indices, minlength=len(index))
    return Choices(np.array(of, np.int32), times)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    arrays = {f"{CHOICES}.{name}": array for name, array in choices().arrays().items()}
    return Engine.load(write(tmp_path_factory.mktemp("choices") / "v1", parts() | arrays))


def asked(placement, **fields):
    return Question(placement=placement, settings=PLACEMENTS[placement], as_of_ts=AS_OF, **fields)


def of(engine, answer):
    ids = [item["item_id"] for item in answer["items"]]
    return [engine.choice_of(item_id) for item_id in ids]


@pytest.mark.parametrize("placement", list(PLACEMENTS))
@pytest.mark.parametrize("location", [None, STORE, WAREHOUSE])
def test_no_placement_shows_a_choice_twice(engine, placement, location):
    questions = [
        asked(placement, location_id=location, count=60, cart=cart)
        for cart in ((), ("bread",), ("item050", "item090"))
    ]
    answers = engine.recommend(questions, PEOPLE)
    for question, answer in zip(questions, answers, strict=True):
        found = of(engine, answer)
        assert len(set(found)) == len(found) > 0
        assert not {engine.choice_of(item) for item in question.cart} & set(found)


@pytest.mark.parametrize("how", ["bought_together", "similar"])
def test_a_page_shows_a_choice_once_and_never_its_own(engine, how):
    for item_id in ("bread", "item012", "item050"):
        page = engine.related(PageQuestion(how=how, item_id=item_id, as_of_ts=AS_OF, count=20))
        found = of(engine, page)
        assert len(set(found)) == len(found) > 0
        assert engine.choice_of(item_id) not in found


@pytest.mark.parametrize("how", ["bought_together", "similar"])
def test_rules_of_a_page_are_about_whole_choices(engine, how):
    def page(*rules, item_id="pasta"):
        settings = PlacementSettings(channel="web", rules=list(rules))
        question = PageQuestion(
            how=how, item_id=item_id, as_of_ts=AS_OF, count=20, settings=settings
        )
        answer = engine.related(question)
        found = of(engine, answer)
        assert len(set(found)) == len(found) > 0
        return [item["item_id"] for item in answer["items"]], found

    pin = PlacementRule(name="pin", action="pin", item_ids=["item012"], position=2)
    ids, found = page(pin)
    assert ids[1] == "item012"  # itself, though more is bought of the butter
    assert found.count(engine.choice_of("butter")) == 1
    assert (
        "bread"
        not in page(
            PlacementRule(name="own", action="pin", item_ids=["item010"]), item_id="item011"
        )[1]
    )
    gone = PlacementRule(name="gone", action="exclude", item_ids=["butter"])
    assert not {*BUTTERS} & {*page(gone, item_id="bread")[0]}


def shown(engine, row=EMPTY, **fields):
    (answer,) = engine.recommend([asked("web_home", count=60, **fields)], [row])
    return {engine.choice_of(item["item_id"]): item["item_id"] for item in answer["items"]}


def test_what_the_back_office_tells_decides_who_stands_for_a_choice(engine):
    assert shown(engine)["bread"] == "bread"  # most bought
    idle = engine.with_updates(
        CatalogueUpdates({"bread": LiveItem(item_id="bread", active=False)}, mark=1)
    )
    assert shown(idle)["bread"] in BREADS[1:]
    assert shown(idle, PEOPLE[1])["bread"] == "item011"  # bought before
    gone = {
        (STORE, name): LiveStock(location_id=STORE, item_id=name, on_hand=0)
        for name in ("bread", "item010")
    }
    empty = engine.with_updates(CatalogueUpdates({}, {}, gone, mark=2))
    assert shown(empty, location_id=STORE)["bread"] == "item011"
    none = {(STORE, name): LiveStock(location_id=STORE, item_id=name, on_hand=0) for name in BREADS}
    assert "bread" not in shown(
        engine.with_updates(CatalogueUpdates({}, {}, none, mark=3)), location_id=STORE
    )


def test_what_was_bought_an_hour_ago_hides_all_of_its_choice(engine):
    assert "bread" in shown(engine, PEOPLE[1])
    assert "bread" not in shown(engine, PEOPLE[2])  # another bread, half a day ago


def test_nothing_is_said_to_go_with_itself(engine):
    for row in PEOPLE:
        for item in engine.recommend([asked("web_home", count=60)], [row])[0]["items"]:
            mine = engine.choice_of(item["item_id"])
            sources = item["reason"].get("because_of", ())
            assert mine not in {engine.choice_of(source) for source in sources}


def decision(*items, price=5):
    terms = Terms(status="approved", price_minor=price, currency="EUR")
    return Decision(
        bundle_id=bundle_id("together", items),
        kind="together",
        item_ids=items,
        terms=terms,
        revision=1,
        changed_ts=AS_OF,
        changed_by="anna",
    )


def test_a_bundle_is_offered_for_any_product_of_its_choices_and_once(engine, monkeypatch):
    monkeypatch.setattr(selection, "SURE", 1.0)
    approved = [decision("bread", "butter"), decision("item011", "butter"), decision("tea", "milk")]
    given = OfferableBundles(
        engine.index, {one.bundle_id: one for one in approved}, engine.ranker.all_choices
    )
    question = asked("web_cart", cart=("item010",), offers=5)
    (answer,) = engine.recommend([question], [EMPTY], given)
    (offer,) = answer["offers"]
    assert offer["bundle_id"] in {one.bundle_id for one in approved[:2]}
    assert offer["missing"] == ["butter"]
    idle = engine.with_updates(
        CatalogueUpdates({"butter": LiveItem(item_id="butter", active=False)}, mark=4)
    )
    (answer,) = idle.recommend([question], [EMPTY], given)
    (offer,) = answer["offers"]
    assert offer["missing"] == ["item012"]  # stands for the butter
    whole = asked("web_cart", cart=("item010", "item012"), offers=5)
    assert engine.recommend([whole], [EMPTY], given)[0]["offers"] == []


def test_a_decision_goes_on_for_what_is_found_of_other_products_of_its_choices(engine):
    """Found are bread and butter; decided was another bread with another butter, years ago."""
    old = decision("item012", "item011")
    suggestions = Suggestions(engine, {old.bundle_id: old}, BundleSettings())
    known = suggestions.get(old.bundle_id)
    assert known.decision is old
    assert known.at is not None
    of = [
        [engine.choice_of(engine.index.item_ids[ix]) for ix in items]
        for items in (known.item_ix, suggestions.mined.members(known.at))
    ]
    assert of[0] == of[1]  # what is told of each product is told of the right one
    assert not suggestions.known(bundle_id("together", ("bread", "butter")))
    assert Suggestions(engine, {}, BundleSettings()).known(
        bundle_id("together", ("bread", "butter"))
    )
