"""The role of a column by its values: products, orders, places, currencies, numbers, times."""

import pytest

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose


def test_the_number_of_a_line_is_no_product(proposed: Propose) -> None:
    found = proposed(
        "order_id,created_at,item_id,product_sku,qty,price\n"
        "1,2024-03-01,9001,MUG,1,5.00\n1,2024-03-01,9002,CUP,1,6.00\n2,2024-03-02,9003,MUG,1,5.00\n"
    )
    assert found.columns["item_id"] == "product_sku"
    assert any("never recurs" in check for check in found.checks)


def test_an_item_id_that_comes_again_is_the_product(proposed: Propose) -> None:
    found = proposed(
        "order_id,created_at,item_id,ean,qty,price\n"
        "1,2024-03-01,77,4006381333931,1,5.00\n2,2024-03-02,77,4006381333931,1,5.00\n"
    )
    assert found.columns["item_id"] == "item_id"
    assert not any("recurs" in check for check in found.checks)


def test_unique_ids_beside_names_that_come_again_are_asked_about(proposed: Propose) -> None:
    rows = "".join(f"{n},2024-03-01,L{n:04},Mug {n % 5},1,5.00\n" for n in range(60))
    head = "order_id,created_at,article,article name,qty,price\n"
    (question,) = proposed(head + rows).questions
    assert question.settings == ("columns.item_id",)
    assert question.example == "article name"
    said = proposed(head + rows, "columns.item_id=article name")
    assert said.columns["item_id"] == "article name"
    assert not said.questions


def test_a_spoiled_id_gives_way_to_a_whole_one(proposed: Propose) -> None:
    found = proposed(
        "order_id,created_at,sku,plu,qty,price\n"
        "1,2024-03-01,4.00638E+12,17,1,5.00\n2,2024-03-02,4.00638E+12,18,1,5.00\n"
    )
    assert found.columns["item_id"] == "plu"
    alone = proposed("order_id,created_at,sku,qty,price\n1,2024-03-01,4.00638E+12,1,5.00\n")
    assert alone.columns["item_id"] == "sku"
    assert any("a spreadsheet has corrupted these ids" in check for check in alone.checks)


def test_the_order_is_what_groups_rows(proposed: Propose) -> None:
    found = proposed(
        "transaction_id,basket_id,sold_at,sku,qty,price\n"
        "t1,b1,2024-03-01 10:00,A,1,5.00\nt2,b1,2024-03-01 10:00,B,1,6.00\n"
        "t3,b2,2024-03-01 11:00,A,1,5.00\n"
    )
    assert found.columns["order_id"] == "basket_id"


def test_orders_of_one_line_keep_their_number(proposed: Propose) -> None:
    found = proposed(
        "order_number,sold_at,sku,qty,price\n1,2024-03-01,A,1,5.00\n2,2024-03-01,B,1,6.00\n"
    )
    assert found.columns["order_id"] == "order_number"


def test_numbers_of_lines_where_customers_bought_several_are_named(proposed: Propose) -> None:
    rows = "".join(
        f"t{n},2024-03-01 10:{n // 3:02},c{n // 3},{item},1,5.00\n"
        for n, item in enumerate("ABCABDACD")
    )
    found = proposed(f"transaction_id,sold_at,customer_id,sku,qty,price\n{rows}")
    assert any("is it a line number" in check for check in found.checks)


@pytest.mark.parametrize("texts", [("st", "kg"), ("2,5 l", "1 l")])
def test_what_is_no_number_is_no_quantity(proposed: Propose, texts: tuple[str, str]) -> None:
    a, b = texts
    found = proposed(
        f"order_no;sold_at;sku;units;pieces;price\n1;2024-03-01;A;{a};3;5.00\n2;2024-03-02;B;{b};1;6.00\n"
    )
    assert found.columns["quantity"] == "pieces"


def test_line_numbers_count_within_an_order(proposed: Propose) -> None:
    head = "order_no,line,sold_at,sku,qty,price\n"
    good = proposed(f"{head}1,1,2024-03-01,A,1,5.00\n1,2,2024-03-01,B,1,6.00\n")
    assert good.columns["line_no"] == "line"
    bad = proposed(f"{head}1,7,2024-03-01,A,1,5.00\n1,7,2024-03-01,B,1,6.00\n")
    assert "line_no" not in bad.columns
    assert any("does not number lines" in check for check in bad.checks)


def test_places_are_few(proposed: Propose) -> None:
    head = "order_no,sold_at,store,location,sku,qty,price\n"
    rows = "".join(f"{n},2024-03-01,Street {n},S{n % 3},A,1,5.00\n" for n in range(40))
    assert proposed(head + rows).columns["location_id"] == "location"


@pytest.mark.parametrize("name", ["Shop currency", "Währung", "Moneda", "ccy", "Order Currency"])
def test_currencies_are_found_whatever_they_are_called(proposed: Propose, name: str) -> None:
    found = proposed(
        f"order_no,sold_at,sku,qty,price,{name}\n1,2024-03-01,A,1,5,sek\n2,2024-03-01,A,1,5,NOK\n"
    )
    assert found.columns["currency"] == name


def test_a_currency_is_known_by_its_values(proposed: Propose) -> None:
    found = proposed("order_no,sold_at,sku,qty,price,Paid in\n1,2024-03-01,A,1,5,CHF\n")
    assert found.columns["currency"] == "Paid in"
    country = proposed("order_no,sold_at,sku,qty,price,Country\n1,2024-03-01,A,1,5,GER\n")
    assert "currency" not in country.columns


def test_signs_of_currencies_are_mapped(proposed: Propose) -> None:
    text = "order_no,sold_at,sku,qty,price,currency\n1,2024-03-01,A,1,5,€\n2,2024-03-01,A,1,5,zł\n"
    assert proposed(text).columns["currency"] == Column(
        column="currency", map={"zł": "PLN", "€": "EUR"}
    )
    dollars = text.replace("zł", "$")
    assert [q.settings[0] for q in proposed(dollars).questions] == ["columns.currency"]
    assert not proposed(dollars, currency="CAD").questions


def test_the_currency_beside_the_amounts_is_not_passed_over(proposed: Propose) -> None:
    text = "order_no,sold_at,sku,qty,price\n1,2024-03-01,A,1,₺5.00\n"
    assert proposed(text).settings["currency"] == "TRY"
    assert "currency" not in proposed(text, currency="TRY").settings
    pounds = text.replace("₺", "£")
    assert [q.example for q in proposed(pounds).questions] == ["GBP"]
    assert not proposed(pounds, currency="GBP").questions
    assert not proposed(pounds, "currency=GBP").questions


def test_the_time_of_the_sale_is_found_by_its_values(proposed: Propose) -> None:
    found = proposed(
        "order_id,product_id,qty,price,shipping_limit,bought_when\n"
        "1,A,1,5.00,2024-03-09 10:00:00,2024-03-01 10:00:00\n"
    )
    assert found.columns["occurred_at"] == "bought_when"
    assert any("because of its values" in check for check in found.checks)


def test_numbers_that_may_be_thousands_are_asked_about(proposed: Propose) -> None:
    text = 'order_no,sold_at,sku,qty,price\n1,2024-03-01,A,1,"1,250"\n2,2024-03-01,B,1,"2,980"\n'
    (question,) = proposed(text).questions
    assert question.serious
    assert "columns.unit_price.decimal" in question.settings
    assert not proposed(text, currency="JPY").questions
    said = proposed(text, "decimal=.")
    assert not said.questions
    assert said.settings["decimal"] == "."
    column = proposed(text, "columns.unit_price.decimal=.")
    assert column.columns["unit_price"] == Column(column="price", decimal=".")
    assert not column.questions


def test_each_column_has_its_own_format(proposed: Propose) -> None:
    """Weights with a point beside prices with a comma: no decimal sign for the whole file."""
    found = proposed(
        'order_no;sold_at;sku;qty;price\n1;2024-03-01;A;0.345;"1.250,50"\n2;2024-03-01;B;2.000;3,20\n'
    )
    assert "decimal" not in found.settings
    assert not found.questions


def test_pieces_with_three_zeros_are_pieces(proposed: Propose) -> None:
    found = proposed(
        "order_no,sold_at,sku,qty,price\n1,2024-03-01,A,1.000,5.50\n2,2024-03-01,B,2.000,3.20\n"
    )
    assert found.columns["quantity"] == Column(column="qty", decimal=".")
    assert any("`1.000` in `qty` is read as 1" in check for check in found.checks)


def test_pieces_may_carry_their_unit(proposed: Propose) -> None:
    found = proposed(
        "order,date,sku,quantity,price\n1,2024-03-01,A,2 pcs,5.00\n2,2024-03-02,B,1 pc,6"
    )
    assert found.columns["quantity"] == "quantity"
    assert not found.questions


def test_a_quantity_in_words_is_asked_about_and_not_taken_for_one(proposed: Propose) -> None:
    text = (
        "order,date,sku,quantity,price\n1,2024-03-01,A,two boxes,5.00\n2,2024-03-02,B,a box,6.00\n"
    )
    (question,) = proposed(text).questions
    assert question.serious
    assert question.settings == ("columns.quantity",)
    answer = 'columns.quantity={ column = "quantity", map = { "two boxes" = "2", "a box" = "1" } }'
    assert not proposed(text, answer).questions


def test_an_amount_of_pieces_is_the_quantity(proposed: Propose) -> None:
    rows = ["1,2024-05-02,A,2,5.00", "1,2024-05-02,B,1,8.00", "2,2024-05-03,A,3,5.00"]
    found = proposed("\n".join(["Order,Date,SKU,Amount,Price", *rows]))
    assert found.columns["quantity"] == "Amount"
    assert found.columns["unit_price"] == "Price"
    assert "amount" not in found.columns
    money = ["1,2024-05-02,A,10.00,5.00", "1,2024-05-02,B,8.00,8.00", "2,2024-05-03,A,15.00,5.00"]
    found = proposed("\n".join(["Order,Date,SKU,Amount,Price", *money]))
    assert found.columns["quantity"] == Column(value="1")
    assert found.columns["amount"] == "Amount"


@pytest.mark.parametrize(
    ("header", "field", "column"),
    [
        ("ORDERNO,LINENO,ITEMNO,ORDDATE,CUSTNO,QTYORD,UNITPRC,EXTPRC", "quantity", "QTYORD"),
        ("ORDERNO,LINENO,ITEMNO,ORDDATE,CUSTNO,QTYORD,UNITPRC,EXTPRC", "amount", "EXTPRC"),
        ("VBELN,POSNR,MATNR,FKDAT,KUNAG,FKIMG,NETPR,NETWR", "item_id", "MATNR"),
        ("VBELN,POSNR,MATNR,FKDAT,KUNAG,FKIMG,NETPR,NETWR", "amount", "NETWR"),
    ],
)
def test_names_of_old_systems_are_understood(
    proposed: Propose, header: str, field: str, column: str
) -> None:
    rows = ["100,1,A,2024-05-02,C1,2,5.00,10.00", "100,2,B,2024-05-02,C1,1,4.00,4.00"]
    found = proposed("\n".join([header, *rows, "101,1,A,2024-05-03,C2,3,5.00,15.00"]))
    assert found.columns[field] == column
    assert found.columns["order_id"] == header.split(",")[0]
    assert found.identifiers == {"account": header.split(",")[4]}
    assert not found.questions


def test_a_column_that_may_count_pieces_is_named(proposed: Propose) -> None:
    found = proposed("order,date,sku,howmany,price\n1,2024-03-01,A,2,5.00\n2,2024-03-02,B,1,6.00\n")
    assert any("is it howmany?" in check for check in found.checks)
