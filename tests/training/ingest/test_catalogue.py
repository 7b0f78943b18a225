"""Catalogues from shops: variants, images, status words, sale prices, attributes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from recsys.errors import DataError
from recsys.ingest.parts import Manifest
from recsys.ledger.ledger import Ledger
from recsys.recommender.catalogue_updates import LiveItem

from .conftest import Workspace, shop_in

Shop = Callable[..., Workspace]
NOTHING_SOLD = "1,2026-01-31 13:00:00,sold,1,2.50,\n"


def listed_in(shop: Shop) -> Callable[..., Workspace]:
    """Ingest a workspace with one product export, from its lines and its mapping."""

    def make(*exports: str, sold: str = NOTHING_SOLD, **columns: str) -> Workspace:
        mapped = "".join(f'{field} = "{column}"\n' for field, column in columns.items())
        settings = (
            '[sources.items]\nkind = "products"\npath = "items"\ndecimal = "."\n'
            f"[sources.items.columns]\n{mapped}"
        )
        workspace = shop(sold, settings=settings, source='decimal = "."')
        for number, text in enumerate(exports, 1):
            workspace.write(**{f"items__{number}_csv": text})
        workspace.ingest()
        return workspace

    return make


@pytest.fixture
def listed(shop: Shop) -> Callable[..., Workspace]:
    """Return ``listed_in`` for a workspace of the test's own."""
    return listed_in(shop)


def products(workspace: Workspace) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in workspace.table("products")}


def said(workspace: Workspace, name: str) -> dict[str, Any]:
    return {item: row[name] for item, row in products(workspace).items() if row["in_catalogue"]}


def attributes(workspace: Workspace) -> dict[str, dict[str, str]]:
    return {item: json.loads(text or "{}") for item, text in said(workspace, "attributes").items()}


def part(workspace: Workspace, kind: str = "products") -> Any:
    (found,) = (part for part in Manifest.load(workspace.config).parts if part.kind == kind)
    return found


SHOPIFY = {
    "item_id": "Variant SKU",
    "parent_id": "Handle",
    "title": "Title",
    "brand": "Vendor",
    "category": "Type",
    "price": "Variant Price",
    "active": "Status",
    "visibility": "Published",
    "image_url": "Image Src",
    "gtin": "Variant Barcode",
    "option1": "Option1 Value",
    "option2": "Option2 Value",
    "fabric": "Fabric",
    "weight": "Variant Grams",
}
SHOPIFY_HEADER = (
    "Handle,Title,Vendor,Type,Published,Option1 Value,Option2 Value,Variant SKU,Variant Grams,"
    "Variant Price,Variant Barcode,Image Src,Status,Fabric\n"
)
SHOPIFY_EXPORT = """\
tee,Tee,Knit,Tops,true,S,Red,TEE-S,100,9.00,4006381333931,https://cdn.test/t1.jpg,active,Cotton
tee,,,,,M,Red,TEE-M,120,9.50,,https://cdn.test/t2.jpg,,
tee,,,,,L,Red,TEE-L,,9.50,,,,
tee,,,,,,,,,,,https://cdn.test/t3.jpg,,
old,Old tee,Knit,Tops,true,S,,OLD-S,,9.00,,,draft,
old,,,,,M,,OLD-M,,9.00,,,,
off,Off,Knit,Tops,false,Default Title,,OFF,,5.00,,,active,
hat,Hat,Brim,Hats,true,Default Title,,HAT,,5.00,,,active,
hat,,,,,,,,,,,https://cdn.test/h1.jpg,,
"""


def test_variants_take_over_what_stands_on_their_products_first_row(
    listed: Callable[..., Workspace],
) -> None:
    workspace = listed(SHOPIFY_HEADER + SHOPIFY_EXPORT, **SHOPIFY)
    assert said(workspace, "title") == {
        "TEE-S": "Tee - S / Red",
        "TEE-M": "Tee - M / Red",
        "TEE-L": "Tee - L / Red",
        "OLD-S": "Old tee - S",
        "OLD-M": "Old tee - M",
        "OFF": "Off",
        "HAT": "Hat",
    }
    assert said(workspace, "active") == {
        "TEE-S": True,
        "TEE-M": True,
        "TEE-L": True,
        "OLD-S": False,
        "OLD-M": False,
        "OFF": False,
        "HAT": True,
    }
    assert set(said(workspace, "brand").values()) == {"Knit", "Brim"}
    assert set(said(workspace, "category").values()) == {"Tops", "Hats"}
    assert said(workspace, "price_minor")["TEE-M"] == 950
    told = attributes(workspace)
    # The fabric belongs to the product; weight and barcode belong to the variants.
    assert told["TEE-S"] == {
        "fabric": "Cotton",
        "weight": "100",
        "gtin": "4006381333931",
        "image_url": "https://cdn.test/t1.jpg",
    }
    assert told["TEE-M"] == {
        "fabric": "Cotton",
        "weight": "120",
        "image_url": "https://cdn.test/t2.jpg",
    }
    assert told["TEE-L"] == {"fabric": "Cotton", "image_url": "https://cdn.test/t1.jpg"}
    assert told["HAT"] == {"image_url": "https://cdn.test/h1.jpg"}
    assert (part(workspace).left_out, part(workspace).rejected) == ({"image_row": 2}, {})


WOO = {
    "item_id": "SKU",
    "id": "ID",
    "parent_id": "Parent",
    "title": "Name",
    "category": "Categories",
    "brand": "Brands",
    "price": "Regular price",
    "sale_price": "Sale price",
    "active": "Published",
    "visibility": "Visibility in catalog",
    "image_url": "Images",
}
WOO_EXPORT = """\
ID,SKU,Name,Published,Visibility in catalog,Sale price,Regular price,Categories,Brands,Images,Parent
11,FP-S,Fern pot,1,visible,,12.00,Pots,,"https://w.test/a,1.jpg, https://w.test/b.jpg",
13,TR-9,Trowel,0,visible,,9.00,Tools,,,
14,NEW-1,Lantern,-1,visible,,30.00,Decor,,,
15,HID-1,Staff kit,1,hidden,,1.00,Internal,,,
16,JMP,Jumper,1,visible,,,Clothing,Wolle,https://w.test/j.jpg,
17,JMP-S,Jumper - S,1,visible,19.00,25.00,,,,JMP
18,,Cap,-1,visible,,,Heads,,,
19,CAP-S,,1,visible,30.00,25.00,,,,id:18
20,16,Socks,1,visible,0,4.00,,,,id:16
21,EXT,Extern,1,search,,4.00,,,,
"""


def test_variations_name_their_parent_by_sku_or_by_id(listed: Callable[..., Workspace]) -> None:
    sold = "1,2026-01-31 13:00:00,TR-9,1,2.50,\n1,2026-01-31 13:00:00,NEW-1,1,2.50,\n"
    workspace = listed(WOO_EXPORT, sold=sold, **WOO)
    assert said(workspace, "active") == {
        "FP-S": True,
        "TR-9": False,
        "NEW-1": False,
        "HID-1": False,
        "JMP": True,
        "JMP-S": True,
        "CAP-S": False,
        "16": True,
        "EXT": True,
    }
    found = products(workspace)
    jumper, cap, socks = found["JMP-S"], found["CAP-S"], found["16"]
    assert (jumper["title"], jumper["parent_id"]) == ("Jumper - S", "JMP")
    assert (jumper["category"], jumper["brand"]) == ("Clothing", "Wolle")
    assert (cap["title"], cap["category"], cap["parent_id"]) == ("Cap", "Heads", "id:18")
    assert (socks["parent_id"], socks["category"]) == ("JMP", "Clothing")
    prices = {item: found[item]["price_minor"] for item in ("JMP-S", "CAP-S", "16", "JMP")}
    assert prices == {"JMP-S": 1900, "CAP-S": 2500, "16": 400, "JMP": None}
    told = attributes(workspace)
    assert told["JMP-S"] == {"image_url": "https://w.test/j.jpg", "list_price_minor": "2500"}
    assert told["FP-S"] == {"image_url": "https://w.test/a,1.jpg"}
    assert part(workspace).left_out == {"parent_without_item_id": 1}
    assert not part(workspace).rejected


#: Words of a status column, and whether each shows the product.
STATES: list[tuple[list[str], list[bool]]] = [
    (["active", "archived", "draft", ""], [True, False, False, True]),
    (["yes", "No", "TRUE", "false", "-1"], [True, False, True, False, False]),
    (["publish", "pending", "private", "trash"], [True, False, False, False]),
    (["Enabled", "Disabled", "in stock", "discontinued"], [True, False, True, False]),
    (["aktiv", "Inaktiv", "Entwurf", "veröffentlicht"], [True, False, False, True]),
    (["oui", "brouillon", "sí", "borrador", "no publicado"], [True, False, True, False, False]),
    (["Sì", "bozza", "tak", "Nieaktywny", "szkic"], [True, False, True, False, False]),
    (["EVET", "HAYIR", "taslak", "yayında"], [True, False, False, True]),
    (["نشط", "مسودة", "بله", "پیش‌نویس"], [True, False, True, False]),
    (["აქტიური", "დამალული", "公開", "非公開", "下書き"], [True, False, True, False, False]),
    (["1", "2"], [True, False]),  # Magento numbers enabled and disabled
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Products by visibility: ``3-0`` has the first word of the fourth case.

    Numbers are unambiguous only without words, so the last case is an export of its own.
    """
    texts = [
        "".join(f"{case}-{n},{word}\n" for n, word in enumerate(words))
        for case, (words, _) in enumerate(STATES)
    ]
    exports = ["item_id,state\n" + rows for rows in ("".join(texts[:-1]), texts[-1])]
    listed = listed_in(shop_in(tmp_path_factory.mktemp("states")))
    return said(listed(*exports, active="state"), "active")


@pytest.mark.parametrize("case", range(len(STATES)), ids=lambda case: STATES[case][0][0])
def test_status_words_of_many_languages(shown: dict[str, bool], case: int) -> None:
    words, expected = STATES[case]
    assert [shown[f"{case}-{n}"] for n, _ in enumerate(words)] == expected


def test_places_in_a_catalogue_are_words_too(listed: Callable[..., Workspace]) -> None:
    rows = 'a,"Catalog, Search"\nb,Not Visible Individually\nc,Search\nd,\n'
    workspace = listed("item_id,visibility\n" + rows)
    assert [*said(workspace, "active").values()] == [True, False, True, True]
    workspace.write(items__1_csv="item_id,visibility\na,1\nb,4\nc,2\n")
    workspace.ingest()
    assert [said(workspace, "active")[item] for item in "abc"] == [False, True, True]


def test_what_was_not_understood_is_never_shown(listed: Callable[..., Workspace]) -> None:
    """An older export or an order does not override it."""
    sold = "".join(f"{n},2026-01-31 13:00:00,{item},1,2.50,\n" for n, item in enumerate("abcd"))
    first = "item_id,title,price,active\na,A,1.00,active\nb,B,1.00,active\nc,C,1.00,active\n"
    second = "item_id,title,price,active\na,A,1.00,on holiday\nb,B,cheap,active\n"
    workspace = listed(first, second, sold=sold)
    found = products(workspace)
    assert {item: row["active"] for item, row in found.items()} == {
        "a": False,
        "b": False,
        "c": True,
        "d": True,
    }
    assert (found["a"]["title"], found["a"]["price_minor"]) == ("A", 100)
    reasons = {(row["reason"], row["detail"]) for row in workspace.rejects()}
    assert reasons == {("unknown_value", "active = on holiday"), ("bad_number", "price = cheap")}
    workspace.write(items__3_csv="item_id,title,price,active\na,A,1.00,active\n")
    workspace.ingest()
    assert products(workspace)["a"]["active"]


def test_a_variant_of_a_product_that_was_not_understood_is_not_shown(
    listed: Callable[..., Workspace],
) -> None:
    rows = "p,,Pot,limbo\np-s,p,,\nq-s,q,Cup,limbo\nq-m,q,,\n"
    sold = "1,2026-01-31 13:00:00,p-s,1,2.50,\n"
    workspace = listed("item_id,parent_id,title,active\n" + rows, sold=sold)
    assert not any(said(workspace, "active").values())
    assert products(workspace)["p-s"]["title"] == "Pot"


def test_what_is_no_id_is_rejected(listed: Callable[..., Workspace]) -> None:
    rows = "5.01235E+12,A\n#REF!,B\n(not set),C\n,D\nok,E\n"
    workspace = listed("item_id,title\n" + rows)
    assert set(said(workspace, "title")) == {"ok"}
    assert part(workspace).rejected == {"not_an_id": 3, "missing_item_id": 1}


def test_prices_with_their_currency(listed: Callable[..., Workspace]) -> None:
    feed = (
        "id,title,price,sale_price,availability,link,gtin,item_group_id\n"
        "a,A,15.00 USD,12.50 USD,in_stock,https://s.test/a?x=1&y=2,4006381333931,\n"
        "b,B,usd 1500.00,,out_of_stock,javascript:alert(1),5.01235E+12,\n"
        "c,C,1500 JPY,,preorder,//s.test/c,,\n"
        "d,D,15.00 USD,12.00 EUR,in_stock,ftp://s.test/d,,\n"
        "e,E,7.00,,in_stock,https://s.test/e f,,\n"
        "f,F,-7.00 EUR,,in_stock,,,\n"
    )
    workspace = listed(
        feed, item_id="id", availability="availability", url="link", parent_id="item_group_id"
    )
    found = products(workspace)
    money = {item: (row["price_minor"], row["currency"]) for item, row in found.items()}
    assert money["a"] == (1250, "USD")
    assert money["b"] == (150000, "USD")
    assert money["c"] == (1500, "JPY")
    assert money["e"] == (700, "EUR")
    assert part(workspace).rejected == {"currency_differs": 1, "negative_price": 1}
    (mixed,) = (row for row in workspace.rejects() if row["reason"] == "currency_differs")
    assert json.loads(mixed["row"])["sale_price"] == "12.00 EUR"
    assert attributes(workspace) == {
        "a": {
            "availability": "in_stock",
            "url": "https://s.test/a?x=1&y=2",
            "gtin": "4006381333931",
            "list_price_minor": "1500",
        },
        "b": {"availability": "out_of_stock"},
        "c": {"availability": "preorder", "url": "https://s.test/c"},
        "d": {},
        "f": {},
        "e": {"availability": "in_stock", "url": "https://s.test/e%20f"},
    }
    assert found["b"]["active"]  # only the stock list states stock
    assert part(workspace).notes["address_not_http"] == 2


def test_a_currency_column_and_a_currency_in_the_price_must_agree(
    listed: Callable[..., Workspace],
) -> None:
    rows = "a,15.00 USD,USD\nb,15.00 USD,EUR\nc,15.00 USD,\nd,15.00,GBP\n"
    workspace = listed("item_id,price,money\n" + rows, currency="money")
    found = {item: row["currency"] for item, row in products(workspace).items() if row["active"]}
    assert found == {"a": "USD", "c": "USD", "d": "GBP", "sold": "EUR"}
    assert part(workspace).rejected == {"currency_differs": 1}


def test_the_last_row_of_a_product_counts(listed: Callable[..., Workspace]) -> None:
    workspace = listed("item_id,title,active\na,Old,yes\na,New,no\n")
    assert (products(workspace)["a"]["title"], products(workspace)["a"]["active"]) == ("New", False)


def test_what_was_told_of_attributes_lies_over_the_export(
    listed: Callable[..., Workspace],
) -> None:
    workspace = listed("item_id,url,colour\na,https://s.test/a,red\n", colour="colour")
    ledger = Ledger.open(workspace.config.ledger_url)
    told: dict[str, str | None] = {"colour": None, "age_restriction": "18"}
    ledger.backoffice.put_items([LiveItem(item_id="a", attributes=told)], 4_000_000_000)
    ledger.close()
    workspace.ingest()
    assert attributes(workspace) == {"a": {"url": "https://s.test/a", "age_restriction": "18"}}


STOCK = '[sources.shelf]\nkind = "stock"\npath = "stock.csv"\ndecimal = "."\n'


def test_what_a_location_does_not_carry_is_left_out(shop: Shop) -> None:
    workspace = shop(NOTHING_SOLD, settings=STOCK, source='decimal = "."')
    rows = "s1,a,4\ns1,b,not stocked\ns1,c,\ns1,d,-2\ns2,b,Not Stocked\ns1,e,few\n"
    workspace.write(stock_csv="location_id,item_id,on_hand\n" + rows)
    workspace.ingest()
    stock = {
        (row["location_id"], row["item_id"]): row["on_hand"] for row in workspace.table("stock")
    }
    assert stock == {("s1", "a"): 4.0, ("s1", "d"): -2.0}
    assert part(workspace, "stock").left_out == {"not_stocked": 3}
    assert part(workspace, "stock").rejected == {"bad_number": 1}


def test_a_list_in_which_nothing_is_counted_is_no_list_of_stock(shop: Shop) -> None:
    workspace = shop(NOTHING_SOLD, settings=STOCK, source='decimal = "."')
    rows = "".join(f"s1,i{n},\n" for n in range(30))
    workspace.write(stock_csv="location_id,item_id,on_hand\n" + rows)
    with pytest.raises(DataError, match="missing_on_hand"):
        workspace.ingest()


def test_a_product_without_an_sku_is_known_by_its_number(
    listed: Callable[..., Workspace],
) -> None:
    text = (
        "ID,SKU,Name,Price,Parent\n7,,Bag,5.00,\n8,A-1,Box,6.00,\n9,,Cap,,\n10,CAP-S,,7.00,id:9\n"
    )
    workspace = listed(
        text, item_id="SKU", id="ID", title="Name", price="Price", parent_id="Parent"
    )
    assert said(workspace, "title") == {"id:7": "Bag", "A-1": "Box", "CAP-S": "Cap"}
    assert part(workspace).left_out == {"parent_without_item_id": 1}
