"""What is put aside and how old a list is; where locations lie, and how long deliveries take."""

import os
from collections.abc import Callable

import pytest

from .conftest import Workspace
from .test_catalogue import NOTHING_SOLD, STOCK, Shop, attributes, listed_in, part


@pytest.fixture
def listed(shop: Shop) -> Callable[..., Workspace]:
    return listed_in(shop)


def test_what_is_put_aside_and_when_a_list_was_written(shop: Shop) -> None:
    settings = STOCK.replace("stock.csv", "stock")
    workspace = shop(NOTHING_SOLD, settings=settings, source='decimal = "."')
    workspace.write(
        stock__1_csv="location_id,item_id,on_hand,reserved\ns1,a,4,1\ns2,a,5,0.5\ns2,b,3,-1\n",
        stock__2_csv="location_id,item_id,on_hand\ns1,a,6\n",
    )
    for number, ts in ((1, 1_700_000_000), (2, 1_700_086_400)):
        os.utime(workspace.folder / "stock" / f"{number}.csv", (ts, ts))
    workspace.ingest()
    stock = {
        (row["location_id"], row["item_id"]): (
            row["on_hand"],
            row["reserved"],
            int(row["reported_at"].timestamp()),
        )
        for row in workspace.table("stock")
    }
    # The second list says all of s1; a row with less than nothing put aside cannot be meant.
    assert stock == {
        ("s1", "a"): (6.0, None, 1_700_086_400),
        ("s2", "a"): (5.0, 0.5, 1_700_000_000),
    }
    assert {row["reason"] for row in workspace.rejects()} == {"negative_reserved"}


def test_what_is_available_is_not_reduced_by_what_is_reserved(shop: Shop) -> None:
    columns = '[sources.shelf.columns]\non_hand = "Available"\n'
    rows = "location_id,item_id,Available,reserved,put_by\ns1,a,4,3,1\n"
    for more, reserved in (("", None), ('reserved = "put_by"\n', 1.0)):
        workspace = shop(NOTHING_SOLD, settings=STOCK + columns + more, source='decimal = "."')
        workspace.write(stock_csv=rows)
        workspace.ingest()
        assert [(row["on_hand"], row["reserved"]) for row in workspace.table("stock")] == [
            (4.0, reserved)
        ]


PLACES = '[sources.places]\nkind = "locations"\npath = "places.csv"\n'


def test_where_locations_lie_and_which_deliver(shop: Shop) -> None:
    workspace = shop(NOTHING_SOLD, settings=PLACES, source='decimal = "."')
    workspace.write(
        places_csv="location_id;latitude;longitude;ships;delivery_days\n"
        "a;48.137;11.575;yes;2\n"
        "b;48,208;16,373;no;2.0\n"
        "c;;;;\n"
        "d;0;0;;2-3\n"
        "e;91.5;11;;400\n"
        "f;48.1;;;-1\n"
        "g;48°08'N;11°34'E;;\n"
    )
    workspace.ingest()
    names = ("latitude", "longitude", "ships", "delivery_days")
    found = {
        row["location_id"]: tuple(row[name] for name in names)
        for row in workspace.table("locations")
    }
    nothing = (None, None, None, None)
    assert {name: found[name] for name in "abcdefg"} == {
        "a": (48.137, 11.575, True, 2),
        "b": (48.208, 16.373, False, 2),
        **dict.fromkeys("cdefg", nothing),
    }
    notes = part(workspace, "locations").notes
    assert (notes["bad_coordinates"], notes["bad_delivery_days"]) == (4, 3)
    assert not workspace.rejects()


def test_a_zone_that_nobody_can_tell_the_time_of_is_noted(shop: Shop) -> None:
    workspace = shop(NOTHING_SOLD, settings=PLACES)
    workspace.write(places_csv="location_id,time_zone\na,Europe/Berlin\nb,CET-1\nc,\n")
    workspace.ingest()
    found = {row["location_id"]: row["time_zone"] for row in workspace.table("locations")}
    assert {name: found[name] for name in "abc"} == {"a": "Europe/Berlin", "b": None, "c": None}
    assert part(workspace, "locations").notes == {"bad_time_zone": 1}


def test_positions_may_be_written_in_millionths(shop: Shop) -> None:
    mapped = """[sources.places.columns]
latitude = { column = "lat_e6", times = 0.000001 }
longitude = { column = "lon_e6", times = 0.000001 }
"""
    workspace = shop(NOTHING_SOLD, settings=PLACES + mapped, source='decimal = "."')
    workspace.write(places_csv="location_id,lat_e6,lon_e6\na,48137000,-11575000\n")
    workspace.ingest()
    (place,) = (row for row in workspace.table("locations") if row["location_id"] == "a")
    assert (place["latitude"], place["longitude"]) == pytest.approx((48.137, -11.575))


def test_how_long_a_product_takes_is_an_attribute(listed: Callable[..., Workspace]) -> None:
    rows = "a,Desk,21\nb,Chair,2-3 weeks\nc,Lamp,\n"
    workspace = listed("item_id,title,delivery_days\n" + rows)
    assert attributes(workspace) == {
        "a": {"delivery_days": "21"},
        "b": {"delivery_days": "2-3 weeks"},
        "c": {},
    }
    assert part(workspace).notes == {"bad_delivery_days": 1}
