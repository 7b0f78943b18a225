"""The place of sale determines the channel."""

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose


def table(*places: str) -> str:
    rows = [f"{n},2024-05-0{n} 10:00,{place},A,1,5.00" for n, place in enumerate(places, 1)]
    return "\n".join(["Order,Date,Store,SKU,Qty,Price", *rows])


def test_a_store_that_is_a_web_shop_is_no_till(proposed: Propose) -> None:
    for name in ("Main Website Store", "shop.example.de", "Acme Online", "Onlineshop"):
        assert proposed(table(name, name)).settings["channel"] == "web"
    assert proposed(table("Berlin", "Weber")).settings["channel"] == "pos"


def test_a_web_shop_among_stores_is_mapped(proposed: Propose) -> None:
    found = proposed(table("Berlin", "Acme Online", "Hamburg"))
    assert found.columns["channel"] == Column(
        column="Store", map={"Acme Online": "web"}, otherwise="pos", default="pos"
    )
    assert found.columns["location_id"] == "Store"
