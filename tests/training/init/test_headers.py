"""Column names in many languages, and abbreviated."""

from pathlib import Path

import pytest

from training.init.exports import Export
from training.init.headers import fields_of, forms
from training.init.mapping import assign, kind_of
from training.init.names import IDENTIFIER_NAMES, ORDER_NAMES


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("ord_no", "order_id"),
        ("inv_no", "order_id"),
        ("Receipt #", "order_id"),
        ("tran_id", "order_id"),
        ("Nº de pedido", "order_id"),
        ("N° de commande", "order_id"),
        ("OrderID", "order_id"),
        ("Siparis No", "order_id"),
        ("NUMER ZAMÓWIENIA", "order_id"),
        ("trx_dt", "occurred_at"),
        ("tran_date", "occurred_at"),
        ("Date de la vente", "occurred_at"),
        ("prod_code", "item_id"),
        ("art_nr", "item_id"),
        ("Ref.", "item_id"),
        ("Bez.", "title"),
        ("Q.tà", "quantity"),
        ("Qté", "quantity"),
        ("Ilosc", "quantity"),
        ("VK-Preis", "unit_price"),
        ("vk_preis", "unit_price"),
        ("Prix unitaire", "unit_price"),
        ("total_amt", "amount"),
        ("line_amt", "amount"),
        ("Betrag", "amount"),
        ("金額", "amount"),
        ("ord_tot", "order_total"),
        ("Store_type", "channel"),
        ("str_id", "location_id"),
        ("Währung", "currency"),
        ("ارز", "currency"),
        ("ვალუტა", "currency"),
    ],
)
def test_columns_of_orders(name: str, field: str) -> None:
    assert fields_of([name], ORDER_NAMES)[field] == [name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cust_id", "account"),
        ("cust no", "account"),
        ("Kundennr.", "account"),
        ("N° client", "account"),
        ("顧客ID", "account"),
        ("Müşteri No", "account"),
        ("E-Posta", "email"),
        ("البريد الإلكتروني", "email"),
        ("Tel.", "phone"),
        ("ტელეფონი", "phone"),
        ("Carte de fidélité", "loyalty_card"),
    ],
)
def test_columns_of_people(name: str, kind: str) -> None:
    assert fields_of([name], IDENTIFIER_NAMES)[kind] == [name]


def test_a_column_is_given_to_one_field_only() -> None:
    export = Export(Path("x"), "csv", ("Product", "Product", "Date"), ())
    found = assign(export, ORDER_NAMES)
    assert list(found.values()).count("Product") == 1


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Scontrino,Data,Ora,Codice,Quantità,Prezzo", "till_tickets"),
        ("Nr paragonu,Data,Towar,Ilość,Cena", "till_tickets"),
        ("注文番号,注文日,商品コード,数量,単価", "order_lines"),
        ("شماره سفارش,تاریخ,کد کالا,تعداد,قیمت واحد", "order_lines"),
        ("transaction_id,cust_id,tran_date,prod_subcat_code,Qty,Rate,total_amt", "order_lines"),
        ("Filiale,Ort,Land", "locations"),
        ("Filiale,Artikelnummer,Lagerbestand", "stock"),
        ("Artikelnummer,Bezeichnung,Warengruppe,Preis", "products"),
        ("Kundenkarte,E-Mail-Adresse,Telefon", "customer_links"),
        ("order_id,order_date,total,email,phone", None),
        ("order_id,product_id,price,order_status,bought_when", "order_lines"),
    ],
)
def test_kinds_in_many_languages(header: str, kind: str | None) -> None:
    columns = tuple(header.split(","))
    assert kind_of(Export(Path("x"), "csv", columns, (dict.fromkeys(columns, ""),))) == kind


def test_accents_and_scripts_are_kept_apart() -> None:
    assert forms("Größe")[0] == "grosse"
    assert forms("数量")[0] == "数量"
    assert forms("مبلغ")[0]
