"""Proposals for realistic exports."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.toml_file import Column
from training.init.exports import look
from training.init.mapping import kind_of, propose
from training.init.proposal import Proposal

SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,"
    "Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,"
    "Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,"
    "Billing Name,Cancelled at,Refunded Amount,Vendor,Location,Lineitem discount,Phone"
)
ONLINE_RETAIL = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
TILLS = (
    "Filiale;Kasse;Bonnr;Datum;Uhrzeit;Artikelnummer;Bezeichnung;Menge;Einzelpreis;Kundenkarte\n"
    "12;1;77;03.04.2017;08:15;0042;Müsli;1;2,49;90001\n"
    "12;2;77;03.04.2017;08:16;0042;Müsli;2;1.002,49;\n"
    "12;1;77;14.04.2017;08:15;0043;Käse;1;3,00;\n"
)


def export(folder: Path, text: str, name: str = "export.csv", encoding: str = "utf-8") -> Proposal:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    found = look(path)
    kind = kind_of(found)
    assert kind is not None
    return propose(found, kind)


def test_online_retail_is_order_lines(tmp_path: Path) -> None:
    rows = "489434,85048,GLASS BALL,12,2009-12-01 07:45:00,6.95,13085,United Kingdom\n"
    found = export(tmp_path, ONLINE_RETAIL + rows)
    assert found.kind == "order_lines"
    assert found.columns == {
        "order_id": "Invoice",
        "occurred_at": "InvoiceDate",
        "item_id": "StockCode",
        "title": "Description",
        "quantity": "Quantity",
        "unit_price": "Price",
    }
    assert found.identifiers == {"account": "Customer ID"}
    assert found.settings == {"channel": "web"}
    assert found.unused == ["Country"]
    assert not found.needed


@pytest.mark.parametrize(
    ("moments", "time_format", "asks"),
    [
        (["1/12/2010 8:26", "31/12/2010 8:26"], "%d/%m/%Y %H:%M", False),
        (["12/1/2010 8:26", "12/31/2010 8:26"], "%m/%d/%Y %H:%M", False),
        (["12/1/2010 8:26"], "%d/%m/%Y %H:%M", True),
        (["01-Feb-2010 08:26 PM"], "%d-%b-%Y %I:%M %p", False),
        (["1 May 2017", "2 June 2017"], "%d %B %Y", False),
        (["20170301"], "%Y%m%d", False),
        (["03.04.17 8:05:00"], "%d.%m.%y %H:%M:%S", False),
    ],
)
def test_times_are_read_as_they_are_written(
    tmp_path: Path, moments: list[str], time_format: str, asks: bool
) -> None:
    rows = "".join(f'1,2,X,1,"{moment}",1.0,3,UK\n' for moment in moments)
    found = export(tmp_path, ONLINE_RETAIL + rows)
    assert found.settings["time_format"] == time_format
    assert any("are read day first" in check for check in found.checks) == asks


@pytest.mark.parametrize(
    "moment", ["2009-12-01", "2009-12-01 07:45", "2009-12-01T07:45:00.5Z", "2009-12-01 07:45+01:00"]
)
def test_iso_times_need_no_format(tmp_path: Path, moment: str) -> None:
    found = export(tmp_path, f"{ONLINE_RETAIL}1,2,X,1,{moment},1.0,3,UK\n")
    assert "time_format" not in found.settings


def test_month_first_where_people_write_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(ONLINE_RETAIL + "1,2,X,1,12/1/2010 8:26,1.0,3,US\n")
    found = propose(look(tmp_path / "x.csv"), "order_lines", day_first=False)
    assert found.settings["time_format"] == "%m/%d/%Y %H:%M"
    assert any("are read month first" in check for check in found.checks)


def test_unknown_times_are_said(tmp_path: Path) -> None:
    found = export(tmp_path, ONLINE_RETAIL + "1,2,X,1,Tuesday,1.0,3,UK\n")
    assert "time_format" not in found.settings
    assert any("`Tuesday`" in question.text for question in found.questions)


def test_times_that_are_numbers_are_told_by_their_size(tmp_path: Path) -> None:
    rows = "order id,created at,sku,qty,price\n1,1767225600,A,1,2.50\n2,1767312000,B,1,2.50\n"
    found = export(tmp_path, rows)
    assert found.settings["time_format"] == "unix"
    found = export(tmp_path, rows.replace("1767225600", "46023.5").replace("1767312000", "46024"))
    assert found.settings["time_format"] == "excel"
    assert not found.questions
    columns = {"order id": [1, 2], "created": [1767225600000, 1767312000000], "sku": [7, 8]}
    pq.write_table(pa.table({**columns, "qty": [1, 1]}), tmp_path / "x.parquet")
    found = propose(look(tmp_path / "x.parquet"), "order_lines")
    assert found.columns["occurred_at"] == "created"
    assert found.settings["time_format"] == "unix_ms"


def test_shopify_is_recognised_by_its_header(tmp_path: Path) -> None:
    found = export(tmp_path, f"{SHOPIFY}\n#1001,a@b.example,paid\n")
    assert found.kind == "shopify_orders"
    assert not found.questions


def test_a_german_till(tmp_path: Path) -> None:
    found = export(tmp_path, TILLS, encoding="cp1252")
    assert found.kind == "till_tickets"
    assert found.settings == {"encoding": "cp1252", "time_format": "%d.%m.%Y %H:%M"}
    assert found.columns == {
        "order_id": Column(columns=["Datum", "Kasse", "Bonnr"]),
        "occurred_at": Column(columns=["Datum", "Uhrzeit"], join=" "),
        "location_id": "Filiale",
        "item_id": "Artikelnummer",
        "title": "Bezeichnung",
        "quantity": "Menge",
        "unit_price": "Einzelpreis",
    }
    assert found.identifiers == {"loyalty_card": "Kundenkarte"}
    assert any("recurs" in check for check in found.checks)


def test_a_ticket_number_that_is_enough_stays_alone(tmp_path: Path) -> None:
    text = "ticket_id,store_id,register,sold_at,sku,qty,unit_price,line_type\n"
    text += "1,A,1,2017-01-01 10:00,x,1,1.00,S\n1,A,1,2017-01-01 10:00,y,1,1.00,R\n"
    found = export(tmp_path, text)
    assert found.kind == "till_tickets"
    assert found.columns["order_id"] == "ticket_id"
    assert found.columns["line_type"] == Column(
        column="line_type", map={"R": "return", "S": "sale"}
    )


def test_words_for_channels_are_translated_or_asked(tmp_path: Path) -> None:
    head = "order_no,date,sales_channel,product_id,units,line_total,e-mail\n"
    found = export(tmp_path, f"{head}1,2017-01-01,In-store,x,1,2,\n2,2017-01-01,Online,x,1,2,\n")
    assert found.columns["channel"] == Column(
        column="sales_channel", map={"In-store": "pos", "Online": "web"}
    )
    assert found.columns["amount"] == "line_total"
    assert found.identifiers == {"email": "e-mail"}
    found = export(tmp_path, f"{head}1,2017-01-01,1,x,1,2,\n2,2017-01-01,2,x,1,2,\n")
    assert found.values == {"channel": ("sales_channel", {"1": None, "2": None})}
    (question,) = found.questions
    assert "`1`, `2` in `sales_channel`" in question.text
    assert not question.serious


def test_orders_without_numbers_or_quantities(tmp_path: Path) -> None:
    table = pa.table(
        {
            "t_dat": pa.array([17000, 17001], pa.date32()),
            "customer_id": ["a", "b"],
            "article_id": ["0108775015", "0108775044"],
            "price": [0.05, 0.03],
            "sales_channel_id": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "week.parquet")
    export = look(tmp_path / "week.parquet")
    assert kind_of(export) == "order_lines"
    found = propose(export, "order_lines")
    assert found.columns["order_id"] == Column(columns=["customer_id", "t_dat", "sales_channel_id"])
    assert found.columns["quantity"] == Column(value="1")
    assert "time_format" not in found.settings
    assert len(found.checks) == 2
    assert [question.settings[0] for question in found.questions] == ["columns.channel"]


def test_missing_needs_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sku,qty\n1,2\n")
    found = propose(look(tmp_path / "x.csv"), "order_lines")
    assert set(found.needed) == {"order_id", "occurred_at"}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("event_date,event_name,items", None),
        ("Handle,Title,Vendor,Type,Variant SKU,Variant Price,Cost per item", "products"),
        ("article_id,prod_name,product_type_name,department_name", "products"),
        ("sku,store_id,on_hand", "stock"),
        ("item_id,location_id,quantity,cost", "stock"),
        ("store_id,store_name,region,time_zone", "locations"),
        ("card_number,email", "customer_links"),
        ("household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID", "order_lines"),
        ("Ticket,Date,Code,Libellé,Qté,Montant TTC", "till_tickets"),
        ("Boleta,Fecha,SKU,Cantidad,Precio,Total", "order_lines"),
        ("Nr dokumentu,Data,Typ,Indeks,Ilość,Wartość", "order_lines"),
        ("VBELN,ERDAT,ERZET,MATNR,FKIMG,NETWR,WAERK", "order_lines"),
        ("Order,Date,Qty,Wodget,Total", "order_lines"),  # no column identifies products
        ("foo,bar", None),
    ],
)
def test_the_kind_is_told_from_the_columns(tmp_path: Path, header: str, kind: str | None) -> None:
    (tmp_path / "x.csv").write_text(f"{header}\n{',' * header.count(',')}\n")
    assert kind_of(look(tmp_path / "x.csv")) == kind


@pytest.mark.parametrize(
    ("header", "on_hand", "reserved"),
    [
        ("sku,store_id,on_hand,reserved", "on_hand", "reserved"),
        ("sku,store_id,Bestand,Reserviert", "Bestand", "Reserviert"),
        # What is available is what is left already.
        ("sku,store_id,Available,Allocated", "Available", None),
        ("sku,store_id,available,reserved", "available", Column(value="")),
    ],
)
def test_what_is_reserved_is_subtracted_once(
    tmp_path: Path, header: str, on_hand: str, reserved: object
) -> None:
    (tmp_path / "x.csv").write_text(f"{header}\na,s1,4,1\nb,s1,5,0\n")
    found = propose(look(tmp_path / "x.csv"), "stock")
    assert found.columns["on_hand"] == on_hand
    assert found.columns.get("reserved") == reserved
    is_said = any("seems to be what is left" in check for check in found.checks)
    assert is_said is ("vailable" in header)


def test_locations_and_where_they_lie(tmp_path: Path) -> None:
    rows = "s1,North,53.5436,9.9886,2\ns2,South,53.5655,10.0064,\n"
    (tmp_path / "x.csv").write_text(f"store_id,store_name,lat,lng,Delivery days\n{rows}")
    export = look(tmp_path / "x.csv")
    assert kind_of(export) == "locations"
    found = propose(export, "locations").columns
    assert (found["latitude"], found["longitude"]) == ("lat", "lng")
    assert found["delivery_days"] == "Delivery days"


def test_products_and_their_fields(tmp_path: Path) -> None:
    found = export(
        tmp_path, "Handle,Title,Vendor,Type,Variant SKU,Variant Price,Cost per item,Colour\n"
    )
    assert found.columns == {
        "item_id": "Variant SKU",
        "title": "Title",
        "parent_id": "Handle",
        "category": "Type",
        "brand": "Vendor",
        "price": "Variant Price",
        "cost": "Cost per item",
    }
    assert found.unused == ["Colour"]
