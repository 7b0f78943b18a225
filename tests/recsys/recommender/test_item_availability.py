"""Where a product can be had, against plain loops over stores, pieces and days."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets import ItemIndex, location_key
from recsys.ranking import Attribute, Availability
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.item_availability import ItemAvailability
from recsys.recommender.location_details import LocationDetails
from recsys.recommender.product_attributes import Attributes
from tests.recsys.recommender.test_location_details import by_vectors

NOW, HOUR = 1_700_000_000, 3600
ITEMS = ("apple", "bread", "chair", "desk")


@dataclass(frozen=True)
class Place:
    name: str = ""
    store: bool = True
    position: tuple[float, float] | None = None
    days: int | None = None
    ships: bool | None = None


@dataclass(frozen=True)
class Pieces:
    on_hand: float
    reserved: float | None = None
    age_hours: float = 1.0


Shop = dict[str, Place]
Shelf = dict[tuple[str, str], Pieces]


def built(
    places: Shop, shelf: Shelf, own_days: dict[str, str] | None = None, max_age_hours: float = 0
) -> ItemAvailability:
    """Of a shop whose stock was told piece by piece: what nobody told is unknown."""
    index = ItemIndex(ITEMS)
    names = sorted(places, key=location_key)
    keys = np.array([location_key(name) for name in names], np.int64)
    given = [places[name] for name in names]
    where = [place.position or (None, None) for place in given]
    details = LocationDetails.of(
        {
            "latitude": [latitude for latitude, _ in where],
            "longitude": [longitude for _, longitude in where],
            "delivery_days": [place.days for place in given],
            "ships": [place.ships for place in given],
        },
        len(names),
    )
    days = Attribute.of([(own_days or {}).get(item) for item in index.item_ids])
    n, nothing = len(index), [""] * len(index)
    catalogue = Catalogue(
        index,
        nothing,
        nothing,
        np.full(n, -1),
        keys,
        np.array([place.store for place in given], bool),
        {},
        {location_key(name): (name, places[name].name) for name in names},
        Attributes({"delivery_days": days} if own_days else {}, nothing),
        details,
    )
    at = [location_key(name) for name, _ in shelf]
    pieces = list(shelf.values())
    aside = [np.nan if each.reserved is None else each.reserved for each in pieces]
    availability = Availability.build(
        np.ones(n, bool),
        np.array(at, np.int64),
        index.ix_of([item for _, item in shelf]) if shelf else np.empty(0, np.int32),
        np.array([each.on_hand for each in pieces], np.float64),
        at,
        np.array(aside, np.float64),
        np.array([NOW - round(each.age_hours * HOUR) for each in pieces], np.int64),
    )
    max_age = round(max_age_hours * HOUR)
    return ItemAvailability(catalogue, replace(availability, max_age_seconds=max_age))


def said(of: ItemAvailability, location_id: str | None, item: str, now: int = NOW) -> Any:
    return of.of(location_id, of.catalogue.index.ix_of([item]), now)[0]


def test_a_shop_that_says_nothing_more_is_answered_as_before() -> None:
    places = {"S1": Place(), "web": Place(store=False)}
    shop = built(places, {("S1", "apple"): Pieces(3), ("web", "apple"): Pieces(0.4)})
    assert said(shop, "S1", "apple") == {"location_id": "S1", "on_hand": 3, "pickup": True}
    assert said(shop, "web", "apple") == {"location_id": "web", "on_hand": 0.4}
    assert said(shop, "S1", "bread") == {"location_id": "S1"}
    assert said(shop, "nowhere", "apple") is None
    assert said(shop, None, "apple") is None


@pytest.mark.parametrize(
    ("on_hand", "reserved", "sellable", "pickup"),
    [(5, 0, 5, True), (5, 4, 1, True), (5, 5, 0, False), (5, 9, 0, False), (0.5, 0.2, 0.3, True)],
)
def test_reserved_pieces_are_not_there_to_be_picked_up(
    on_hand: float, reserved: float, sellable: float, pickup: bool
) -> None:
    shop = built({"S1": Place()}, {("S1", "apple"): Pieces(on_hand, reserved)})
    assert said(shop, "S1", "apple") == {
        "location_id": "S1",
        "on_hand": on_hand,
        "reserved": reserved,
        "sellable": sellable,
        "pickup": pickup,
    }


def test_stock_is_trusted_for_so_many_hours() -> None:
    shop = built({"S1": Place()}, {("S1", "apple"): Pieces(3, age_hours=0)}, max_age_hours=2)
    told = "2023-11-14T22:13:20Z"
    fresh = {"location_id": "S1", "on_hand": 3, "pickup": True, "stock_as_of": told}
    for hours in (-1, 0, 1, 2):  # of a question of the past, too
        assert said(shop, "S1", "apple", NOW + hours * HOUR) == fresh
    for hours in (3, 300):
        stale = said(shop, "S1", "apple", NOW + hours * HOUR)
        assert stale == {"location_id": "S1", "stock_as_of": told, "stale": True}
    assert said(shop, "S1", "apple", NOW + 2 * HOUR + 1)["stale"]
    assert said(shop, "S1", "bread") == {"location_id": "S1"}


def test_the_nearest_store_that_can_sell_it() -> None:
    """Paris has none; Versailles has put its last one aside; Lille's count is old."""
    places = {
        "paris": Place("Paris", position=(48.8566, 2.3522)),
        "versailles": Place("Versailles", position=(48.8049, 2.1204)),
        "lille": Place(position=(50.6292, 3.0573)),
        "lyon": Place("Lyon", position=(45.7640, 4.8357)),
        "somewhere": Place("Somewhere"),
        "warehouse": Place("Warehouse", store=False, position=(48.9, 2.4)),
    }
    shelf = {(name, "chair"): Pieces(2) for name in places}
    shelf |= {
        ("paris", "chair"): Pieces(0),
        ("versailles", "chair"): Pieces(1, 1),
        ("lille", "chair"): Pieces(7, age_hours=9),
    }
    lyon = {"location_id": "lyon", "name": "Lyon", "km": 391.5, "on_hand": 2}
    assert said(built(places, shelf, max_age_hours=8), "paris", "chair")["nearest"] == lyon
    lille = said(built(places, shelf), "paris", "chair")["nearest"]
    assert lille == {"location_id": "lille", "km": 203.5, "on_hand": 7}
    shelf["versailles", "chair"] = Pieces(3, 1)
    near = said(built(places, shelf), "paris", "chair")["nearest"]
    assert near == {
        "location_id": "versailles",
        "name": "Versailles",
        "km": 17.9,
        "on_hand": 3,
        "reserved": 1,
        "sellable": 2,
    }
    # What is here, or may be, needs no other store; a place that lies nowhere has no neighbours.
    assert "nearest" not in said(built(places, shelf), "lyon", "chair")
    assert "nearest" not in said(built(places, shelf), "paris", "desk")
    shelf["somewhere", "chair"] = Pieces(0)
    assert "nearest" not in said(built(places, shelf), "somewhere", "chair")


def test_the_fewest_days_to_deliver() -> None:
    places = {
        "web": Place(store=False, days=2),
        "far": Place(store=False, days=5),
        "S1": Place(ships=True),
        "S2": Place(days=1, ships=False),
    }
    shelf = {("web", "apple"): Pieces(1), ("far", "apple"): Pieces(9), ("S2", "apple"): Pieces(9)}
    assert said(built(places, shelf), None, "apple") == {"delivery_days": 2}
    assert said(built(places, shelf), "S2", "apple")["delivery_days"] == 2
    shelf["web", "apple"] = Pieces(1, 1)
    assert said(built(places, shelf), None, "apple") == {"delivery_days": 5}
    shelf["far", "apple"] = Pieces(9, age_hours=99)
    assert said(built(places, shelf, max_age_hours=24), None, "apple") is None
    # A location that delivers in nobody knows how many days promises nothing.
    only_store = {("S1", "apple"): Pieces(4)}
    assert said(built(places, only_store), None, "apple") is None
    assert said(built(places, only_store), None, "bread") is None


def test_a_product_may_take_longer_than_its_location() -> None:
    places = {"web": Place(store=False, days=2), "S1": Place(ships=True), "S2": Place()}
    own = {"desk": "21", "chair": "2 to 3 weeks"}
    for name in ("web", "S1"):
        shelf = {(name, item): Pieces(1) for item in ITEMS}
        shop = built(places, shelf, own)
        assert said(shop, None, "desk") == {"delivery_days": 21}
        assert said(shop, None, "chair") is None  # what cannot be read is not guessed
    elsewhere = built(places, {("S2", "desk"): Pieces(1)}, own)
    assert said(elsewhere, None, "desk") is None


place = st.builds(
    Place,
    store=st.booleans(),
    position=st.none() | st.tuples(st.integers(-80, 80), st.integers(-170, 170)),
    days=st.none() | st.integers(0, 4),
    ships=st.none() | st.booleans(),
)
pieces = st.builds(
    Pieces,
    on_hand=st.sampled_from([0, 1, 2.5, 6]),
    reserved=st.none() | st.sampled_from([0, 1, 3]),
    age_hours=st.sampled_from([0, 1, 5]),
)
shops = st.fixed_dictionaries(dict.fromkeys(("a", "b", "c", "d"), place))
shelves = st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from(ITEMS)), pieces)


@given(
    shops, shelves, st.dictionaries(st.sampled_from(ITEMS), st.sampled_from(["9", "?"])), st.data()
)
def test_every_answer_is_what_a_plain_loop_finds(
    places: Shop, shelf: Shelf, own_days: dict[str, str], data: st.DataObject
) -> None:
    max_age = data.draw(st.sampled_from([0, 2]))
    shop = built(places, shelf, own_days, max_age)
    here = data.draw(st.sampled_from([None, "a", "b"]))
    now = NOW + data.draw(st.sampled_from([0, HOUR, 3 * HOUR]))

    def sellable(name: str, item: str) -> float | None:
        told = shelf.get((name, item))
        age = 0 if told is None else (now - NOW) / HOUR + told.age_hours
        if told is None or (max_age and age > max_age):
            return None
        return max(0, told.on_hand - (told.reserved or 0))

    answers = shop.of(here, shop.catalogue.index.ix_of(ITEMS), now)
    for item, answer in zip(ITEMS, answers, strict=True):
        found = answer or {}
        having = {name for name in places if (sellable(name, item) or 0) > 0}
        left = None if here is None else sellable(here, item)
        shipping = [
            places[name].days
            for name in having
            if places[name].ships or (places[name].ships is None and places[name].days is not None)
        ]
        fewest = min((days for days in shipping if days is not None), default=None)
        if shipping and item in own_days:
            fewest = 9 if own_days[item] == "9" else None
        assert found.get("delivery_days") == fewest
        assert ("on_hand" in found) == (left is not None)
        if left is not None and here is not None:
            told = shelf[here, item]
            assert found["on_hand"] == told.on_hand
            assert found.get("reserved") == told.reserved
            assert found.get("sellable", left) == left
            assert found.get("pickup") == ((left > 0) if places[here].store else None)
        from_here = None if here is None else places[here].position
        km = {
            name: by_vectors(from_here, there)
            for name in having - {here}
            if places[name].store and from_here and (there := places[name].position)
        }
        if left != 0 or not km:
            assert "nearest" not in found
        else:
            assert found["nearest"]["km"] == pytest.approx(min(km.values()), abs=0.06)
            assert km[found["nearest"]["location_id"]] == pytest.approx(min(km.values()))


def test_the_nearest_stores_that_have_it() -> None:
    places = {
        "paris": Place("Paris", position=(48.8566, 2.3522)),
        "versailles": Place("Versailles", position=(48.8049, 2.1204)),
        "lille": Place("Lille", position=(50.6292, 3.0573)),
        "lyon": Place("Lyon", position=(45.764, 4.8357)),
        "nice": Place("Nice", position=(43.7102, 7.262)),
        "web": Place(store=False, position=(48.86, 2.35)),
        "nowhere": Place("Nowhere"),
    }
    shelf = {
        ("paris", "apple"): Pieces(9),
        ("versailles", "apple"): Pieces(1, reserved=1),
        ("lille", "apple"): Pieces(4),
        ("lyon", "apple"): Pieces(5, age_hours=30),
        ("nice", "apple"): Pieces(6, reserved=2),
        ("web", "apple"): Pieces(50),
        ("nowhere", "apple"): Pieces(7),
    }
    shop = built(places, shelf, max_age_hours=24)
    apple, desk = shop.catalogue.index.ix_of(["apple", "desk"]).tolist()
    found = shop.nearby("paris", apple, NOW, 3)
    assert [(each["location_id"], each["on_hand"]) for each in found] == [("lille", 4), ("nice", 6)]
    assert found[1]["sellable"] == 4
    assert found[0]["km"] == pytest.approx(204, abs=5)
    assert shop.nearby("paris", apple, NOW, 1) == found[:1]
    assert shop.nearby("paris", desk, NOW, 3) == []
    for unknown in (None, "elsewhere", "nowhere"):
        assert shop.nearby(unknown, apple, NOW, 3) == []
