"""A bundle is offered to whoever has a part of it and may want the rest."""

import msgspec
import pytest

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Decision, Terms
from recsys.config.toml_file import PLACEMENTS
from recsys.datasets.customer_history import EMPTY
from recsys.recommender.catalogue_updates import CatalogueUpdates, LiveItem
from recsys.recommender.engine import Engine
from recsys.recommender.offers import selection
from recsys.recommender.offers.selection import LATELY_DAYS, OfferableBundles
from recsys.recommender.placements import Question
from tests.recsys.models.worlds import AS_OF
from tests.recsys.ranking.grocer import PAIRS, SOLD_OUT, STORE, bought

FIRST, SECOND = PAIRS[1]


@pytest.fixture(scope="module")
def engine(artefact_folder):
    return Engine.load(artefact_folder)


@pytest.fixture(autouse=True)
def nobody_is_sure(monkeypatch, request):
    """In this small world one half of a pair follows the other two times of three."""
    if "anyway" not in request.node.name:
        monkeypatch.setattr(selection, "SURE", 1.0)


def approved(*items, kind="together", **terms):
    given = Terms(**{"status": "approved", "price_minor": 5, "currency": "EUR", **terms})
    return Decision(
        bundle_id=bundle_id(kind, items),
        kind=kind,
        item_ids=items,
        terms=given,
        revision=1,
        changed_ts=AS_OF,
        changed_by="anna",
    )


def offers(engine, *decisions, row=EMPTY, placement="web_cart", **fields):
    given = OfferableBundles(engine.index, {decision.bundle_id: decision for decision in decisions})
    settings = PLACEMENTS[placement]
    question = Question(
        placement=placement, settings=settings, as_of_ts=AS_OF, **{"offers": 2, **fields}
    )
    (answer,) = engine.recommend([question], [row], given)
    assert answer["items"] == engine.recommend([question], [row])[0]["items"]
    return answer["offers"]


def test_a_cart_with_a_part_gets_the_bundle_with_the_chance_of_the_rest(engine):
    decision = approved(FIRST, SECOND)
    (offer,) = offers(engine, decision, cart=(FIRST,))
    assert offer["bundle_id"] == decision.bundle_id
    assert offer["missing"] == [SECOND]
    shown = engine.recommend(
        [
            Question(
                placement="web_cart", settings=PLACEMENTS["web_cart"], as_of_ts=AS_OF, cart=(FIRST,)
            )
        ],
        [EMPTY],
    )[0]["items"]
    assert offer["chance"] == next(i["score"] for i in shown if i["item_id"] == SECOND)


def test_nobody_else_gets_it(engine):
    decision = approved(FIRST, SECOND)
    assert offers(engine, decision, cart=("item050",)) == []
    assert offers(engine, decision, cart=(FIRST, SECOND)) == []
    assert offers(engine, decision, cart=(FIRST,), offers=0) == []
    assert offers(engine, decision) == []


@pytest.mark.parametrize(
    "terms",
    [
        {"status": "suggested"},
        {"status": "rejected"},
        {"status": "paused"},
        {"status": "withdrawn"},
        {"starts_ts": AS_OF + 1},
        {"ends_ts": AS_OF},
        {"channels": ("pos",)},
        {"locations": (STORE,)},
    ],
)
def test_what_is_not_offered_here_and_now_is_not_offered(engine, terms):
    assert offers(engine, approved(FIRST, SECOND, **terms), cart=(FIRST,)) == []


def test_goods_with_a_minimum_age_are_offered_only_where_they_may_be_shown(engine):
    for adult in (FIRST, SECOND):  # what the cart holds, and what is missing
        told = LiveItem(item_id=adult, attributes={"age_restriction": "18"})
        newer = engine.with_updates(CatalogueUpdates({adult: told}, {}, {}, 1))
        decision = approved(FIRST, SECOND)
        held = {"cart": (FIRST,), "standing": (decision.bundle_id,)}
        assert offers(newer, decision, cart=(FIRST,)) == []
        assert offers(newer, decision, **held) == []
        open_to = msgspec.structs.replace(PLACEMENTS["web_cart"], age_restricted=True)
        question = Question(
            placement="web_cart", settings=open_to, as_of_ts=AS_OF, offers=1, cart=(FIRST,)
        )
        given = OfferableBundles(newer.index, {decision.bundle_id: decision})
        (answer,) = newer.recommend([question], [EMPTY], given)
        assert [one["missing"] for one in answer["offers"]] == [[SECOND]]


def test_a_promise_is_shown_while_the_bundle_is_paused(engine):
    decision = approved(FIRST, SECOND, status="paused")
    (offer,) = offers(engine, decision, cart=(FIRST,), standing=(decision.bundle_id,))
    assert offer["bundle_id"] == decision.bundle_id
    (offer,) = offers(engine, decision, cart=(FIRST, SECOND), standing=(decision.bundle_id,))
    assert (offer["missing"], offer["chance"]) == ([], 1.0)
    gone = approved(FIRST, SECOND, status="withdrawn")
    assert offers(engine, gone, cart=(FIRST,), standing=(gone.bundle_id,)) == []


def test_without_a_cart_what_was_bought_lately_speaks(engine):
    decision = approved(FIRST, SECOND)
    lately, long_ago = bought((FIRST, 3)), bought((FIRST, LATELY_DAYS + 3))
    (offer,) = offers(engine, decision, row=lately, placement="web_home")
    assert offer["missing"] == [SECOND]
    assert offers(engine, decision, row=long_ago, placement="web_home") == []


def test_what_came_back_speaks_for_no_bundle(engine):
    decision = approved(FIRST, SECOND)
    back = bought((FIRST, 3), (FIRST, 2, -1.0))
    assert offers(engine, decision, row=bought((FIRST, 3)), placement="web_home")
    assert not offers(engine, decision, row=back, placement="web_home")


def test_what_the_store_has_not_is_not_offered(engine):
    other = next(name for name in engine.index.item_ids if name not in (SOLD_OUT, *FIRST))
    decision = approved(other, SOLD_OUT)
    there = {"placement": "associate_tablet", "cart": (other,)}
    assert offers(engine, decision, location_id=STORE, **there) == []
    assert [offer["missing"] for offer in offers(engine, decision, **there)] == [[SOLD_OUT]]


def test_the_most_wanted_comes_first_and_no_more_than_asked_for(engine):
    decisions = [approved(FIRST, SECOND), approved(FIRST, "item090"), approved(FIRST, "item100")]
    found = offers(engine, *decisions, cart=(FIRST,), offers=3)
    assert [offer["chance"] for offer in found] == sorted(
        (offer["chance"] for offer in found), reverse=True
    )
    assert len(offers(engine, *decisions, cart=(FIRST,), offers=1)) == 1
    last = found[-1]["bundle_id"]
    standing = offers(engine, *decisions, cart=(FIRST,), offers=1, standing=(last,))
    assert [offer["bundle_id"] for offer in standing] == [last]


def test_what_fits_the_cart_comes_before_what_stands(engine):
    fits, stands = approved(FIRST, SECOND), approved("item090", "item100")
    found = offers(engine, fits, stands, cart=(FIRST,), standing=(stands.bundle_id,), offers=2)
    assert [offer["bundle_id"] for offer in found] == [fits.bundle_id, stands.bundle_id]
    both = offers(
        engine, fits, stands, cart=(FIRST, "item090"), standing=(stands.bundle_id,), offers=1
    )
    assert [offer["bundle_id"] for offer in both] == [stands.bundle_id]


def test_what_may_not_be_promised_is_not_offered_unless_it_stands(engine):
    decision, lately = approved(FIRST, SECOND), bought((FIRST, 3))
    held = {"standing": (decision.bundle_id,)}
    for promises, cart, n in (("none", (FIRST,), 0), ("cart", (FIRST,), 1), ("cart", (), 0)):
        asked = {"promises": promises, "cart": cart, "row": lately}
        assert len(offers(engine, decision, **asked)) == n
        assert len(offers(engine, decision, **asked, **held)) == 1


def test_what_follows_a_purchase_is_offered_after_it(engine):
    decision = approved(FIRST, SECOND, kind="after")
    (offer,) = offers(engine, decision, row=bought((FIRST, 5)), placement="web_home")
    assert offer["missing"] == [SECOND]
    assert offers(engine, decision, row=bought((SECOND, 5)), placement="web_home") == []


def test_what_they_will_buy_anyway_is_no_gift(engine):
    decision, cart = approved(FIRST, SECOND), (FIRST,)
    asked = Question(
        placement="web_cart", settings=PLACEMENTS["web_cart"], as_of_ts=AS_OF, cart=cart
    )
    shown = engine.recommend([asked], [EMPTY])[0]["items"]
    assert next(item["score"] for item in shown if item["item_id"] == SECOND) > 0.5
    assert offers(engine, decision, cart=cart) == []
    assert offers(engine, decision, cart=cart, standing=(decision.bundle_id,)) != []
    assert offers(engine, approved(FIRST, "item090"), cart=cart) != []


def test_a_batch_is_its_single_answers(engine):
    decision = approved(FIRST, SECOND)
    given = OfferableBundles(engine.index, {decision.bundle_id: decision})
    settings = PLACEMENTS["web_cart"]
    questions = [
        Question(placement="web_cart", settings=settings, as_of_ts=AS_OF, cart=cart, offers=1)
        for cart in ((FIRST,), ("item050",), (), (SECOND,))
    ]
    rows = [EMPTY, bought((FIRST, 2)), bought((FIRST, 3)), EMPTY]
    together = engine.recommend(questions, rows, given)
    alone = [
        engine.recommend([question], [row], given)[0]
        for question, row in zip(questions, rows, strict=True)
    ]
    assert together == alone
    assert [len(answer["offers"]) for answer in together] == [1, 0, 1, 1]


def test_terms_come_back_as_they_were():
    terms = Terms(status="approved", price_minor=5, currency="EUR", channels=("web",))
    assert msgspec.json.decode(msgspec.json.encode(terms), type=Terms) == terms
