"""The level of money in an export: piece, line or order."""

import pytest

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose

HEAD = "Basket,Sold at,SKU,Pieces"
WHEN = "2024-03-01 10:00"


def table(extra: str, *rows: str) -> str:
    """Return rows of ``basket,sku,pieces,…`` with a time inserted."""
    lines = [f"{HEAD},{extra}"]
    for row in rows:
        basket, rest = row.split(",", 1)
        lines.append(f"{basket},2024-03-0{basket} 10:00,{rest}")
    return "\n".join(lines) + "\n"


def test_money_that_is_constant_in_orders_is_of_the_order(proposed: Propose) -> None:
    found = proposed(
        table(
            "Selling price,Voucher discount,Rebate,Total",
            "1,A,2,5.00,0,1.00,17.00",
            "1,B,1,8.00,0,1.00,17.00",
            "2,C,1,8.00,0,0.00,8.00",
            "3,A,1,5.00,0,2.50,10.50",
            "3,B,1,8.00,0,2.50,10.50",
        )
    )
    assert found.columns["unit_price"] == "Selling price"
    assert found.columns["order_discount"] == "Rebate"
    assert found.columns["order_total"] == "Total"
    assert "amount" not in found.columns
    assert "discount" not in found.columns
    assert not found.questions


def test_money_of_lines_stays_with_the_lines(proposed: Propose) -> None:
    found = proposed(
        table(
            "Selling price,Rebate,Total",
            "1,A,2,5.00,1.00,9.00",
            "1,B,1,8.00,0.50,7.50",
            "2,A,1,5.00,0.00,5.00",
        )
    )
    assert found.columns["discount"] == "Rebate"
    assert found.columns["amount"] == "Total"
    assert not {"order_total", "order_discount"} & set(found.columns)


def test_equal_lines_are_no_sign_of_a_total(proposed: Propose) -> None:
    """Two milks cost the same, so a constant amount is no evidence."""
    found = proposed(table("Price,Total", "1,A,1,5.00,5.00", "1,B,1,5.00,5.00", "2,A,2,5.00,10.00"))
    assert found.columns["amount"] == "Total"
    assert not found.questions


def test_the_total_without_prices_is_never_a_line_s(proposed: Propose) -> None:
    rows = [f"{n},{item},{n},{40 + n}.50" for n in range(1, 6) for item in "ABC"]
    found = proposed(table("Total", *rows))
    assert found.columns["order_total"] == "Total"
    assert "amount" not in found.columns
    assert any("lines will count without money" in check for check in found.checks)


def test_one_order_does_not_tell(proposed: Propose) -> None:
    text = table("Total", "1,A,1,30.00", "1,B,2,30.00", "2,A,1,10.00")
    (question,) = proposed(text).questions
    assert question.serious
    assert question.settings == ("columns.amount", "columns.order_total")
    found = proposed(text, "columns.order_total=Total")
    assert not found.questions
    assert found.columns["order_total"] == "Total"


def test_products_that_always_cost_the_same_are_asked_about(proposed: Propose) -> None:
    """All lines of each order cost the same, as in a one-pound shop."""
    rows = [f"{n},{item},1,1.00" for n in range(1, 6) for item in "AB"]
    assert [q.settings[0] for q in proposed(table("Total", *rows)).questions] == ["columns.amount"]


@pytest.mark.parametrize("name", ["Price", "Amount", "Value paid"])
def test_what_grows_with_the_quantity_is_the_line_s(proposed: Propose, name: str) -> None:
    name = name if name != "Value paid" else "Paid"
    found = proposed(
        table(name, "1,A,2,10.00", "1,B,1,8.00", "2,A,3,15.00", "3,B,2,16.00", "4,A,1,5.00")
    )
    assert found.columns["amount"] == name
    assert "unit_price" not in found.columns


@pytest.mark.parametrize("name", ["Price", "Amount"])
def test_what_does_not_grow_is_the_price_of_one(proposed: Propose, name: str) -> None:
    found = proposed(
        table(name, "1,A,2,5.00", "1,B,1,8.00", "2,A,3,5.00", "3,B,2,8.00", "4,A,1,5.00")
    )
    assert found.columns["unit_price"] == name
    assert "amount" not in found.columns


def test_a_unit_price_that_grows_is_asked_about(proposed: Propose) -> None:
    found = proposed(table("Unit price", "1,A,2,10.00", "2,A,3,15.00", "3,A,1,5.00"))
    assert [q.settings[0] for q in found.questions] == ["columns.amount"]


def test_prices_that_add_up_to_the_total_are_amounts(proposed: Propose) -> None:
    found = proposed(
        table("Price,Basket total", "1,A,2,10.00,18.00", "1,B,1,8.00,18.00", "2,C,3,9.00,9.00")
    )
    assert found.columns["amount"] == "Price"
    assert found.columns["order_total"] == "Basket total"


def test_net_of_discount_is_what_was_paid(proposed: Propose) -> None:
    found = proposed(
        table("Gross amount,Discount,Net amount", "1,A,1,5.00,1.00,4.00", "1,B,1,8.00,0.00,8.00")
    )
    assert found.columns["amount"] == "Net amount"
    assert found.columns["discount"] == "Discount"


def test_gross_of_tax_is_what_was_paid(proposed: Propose) -> None:
    found = proposed(table("Netto,MwSt,Brutto", "1,A,1,10.00,1.90,11.90", "1,B,1,20.00,3.80,23.80"))
    assert found.columns["amount"] == "Brutto"


def test_an_amount_before_the_discount_is_asked_about(proposed: Propose) -> None:
    text = table("Price,Discount,Total", "1,A,2,5.00,1.00,10.00", "1,B,1,8.00,0.00,8.00")
    assert [q.settings[0] for q in proposed(text).questions] == ["columns.amount"]
    left_out = proposed(text, "columns.amount=")
    assert "amount" not in left_out.columns
    assert not left_out.questions


@pytest.mark.parametrize("share", ["20,0,50", "20%,0%,50%", "0.2,0,0.5"])
def test_a_percentage_is_no_discount(proposed: Propose, share: str) -> None:
    a, b, c = share.split(",")
    found = proposed(
        table(
            "Price,Discount,Paid",
            f"1,A,2,5.00,{a},8.00",
            f"1,B,1,8.00,{b},8.00",
            f"2,C,1,9.00,{c},4.50",
        )
    )
    assert found.columns["amount"] == "Paid"
    assert found.columns.get("discount") in (None, Column(value=""))
    assert any("percentage" in check for check in found.checks)


def test_a_fraction_is_no_discount_without_a_price_either(proposed: Propose) -> None:
    found = proposed(
        table("Sales,Discount", "1,A,2,95.50,0.45", "1,B,1,261.96,0", "2,C,1,731.94,0.2")
    )
    assert found.columns["amount"] == "Sales"
    assert "discount" not in found.columns
    assert any("percentage" in check for check in found.checks)


def test_a_percentage_alone_is_asked_about(proposed: Propose) -> None:
    found = proposed(table("Price,Discount", "1,A,2,5.00,20%", "1,B,1,8.00,0%"))
    assert [q.serious for q in found.questions] == [True]


def test_a_price_below_zero_follows_from_the_amount(proposed: Propose) -> None:
    """A well-known export in which quantity, rate and total of returns are all negative."""
    found = proposed(
        "transaction_id,cust_id,tran_date,prod_subcat_code,prod_cat_code,Qty,Rate,Tax,total_amt,"
        "Store_type\n"
        "801,C1,28-02-2014,1,1,-5,-772,405.3,-4265.3,e-Shop\n"
        "801,C1,20-02-2014,1,1,5,772,405.3,4265.3,e-Shop\n"
        "802,C2,1/3/2014,5,3,2,100,21,221,TeleShop\n"
        "803,C3,3/3/2014,5,3,1,100,10.5,110.5,Flagship store\n"
    )
    assert found.columns["amount"] == "total_amt"
    assert "unit_price" not in found.columns
    assert found.identifiers == {"account": "cust_id"}
    assert found.settings["time_format"] == ["%d-%m-%Y", "%d/%m/%Y"]
    column, words = found.values["channel"]
    assert column == "Store_type"
    assert words == {"Flagship store": "pos", "TeleShop": None, "e-Shop": "web"}
    assert [q.serious for q in found.questions] == [False]


def test_postage_explains_a_total(proposed: Propose) -> None:
    found = proposed(
        table(
            "Price,Shipping cost,VAT,Order value",
            "1,A,2,5.00,4.90,2.00,22.90",
            "1,B,1,8.00,4.90,2.00,22.90",
            "2,A,1,5.00,0.00,0.50,5.00",
        )
    )
    assert found.columns["order_total"] == "Order value"
    assert found.columns["order_shipping"] == "Shipping cost"
    assert "order_tax" not in found.columns
    assert not any("differ from" in check for check in found.checks)


def test_totals_that_do_not_fit_are_said(proposed: Propose) -> None:
    found = proposed(
        table("Price,Order value", "1,A,2,5.00,99.00", "1,B,1,8.00,99.00", "2,A,1,5.00,77.00")
    )
    assert any("2 of 2 orders differ from `Order value`" in check for check in found.checks)


def test_a_column_of_a_field_s_own_name_may_be_something_else(proposed: Propose) -> None:
    """The ingest maps a column by the field's name; here it belongs to the order."""
    found = proposed(
        table("unit_price,amount", "1,A,2,5.00,18.00", "1,B,1,8.00,18.00", "2,A,1,5.00,5.00")
    )
    assert found.columns["order_total"] == "amount"
    assert found.columns["amount"] == Column(value="")


def test_lines_do_not_lose_their_money_in_silence(proposed: Propose) -> None:
    text = table("Erlöse", "1,A,2,10.50", "1,B,1,8.20", "2,A,1,5.25")
    (question,) = proposed(text).questions
    assert question.serious
    assert "Erlöse" in question.text
    assert proposed(text, "columns.amount=Erlöse").columns["amount"] == "Erlöse"
    assert not proposed(text, "columns.amount=").questions
    assert any("without money" in check for check in proposed(table("x", "1,A,2,y")).checks)


def test_a_price_that_cannot_be_read_is_asked_about(proposed: Propose) -> None:
    (question,) = proposed(table("Price", "1,A,2,5.00/kg", "2,B,1,4.00/kg")).questions
    assert question.settings == ("columns.amount", "columns.unit_price")


@pytest.mark.parametrize("discounts", [("0.1", "0"), ("10", "0"), ("0.15", "0.2")])
def test_a_discount_that_may_be_a_percentage_is_asked_about(
    proposed: Propose, discounts: tuple[str, str]
) -> None:
    first, second = discounts
    text = table("Price,Discount", f"1,A,2,100.00,{first}", f"2,B,1,50.00,{second}")
    (question,) = proposed(text).questions
    assert question.settings == ("columns.discount", "columns.amount")
    assert proposed(text, "columns.discount=Discount").columns["discount"] == "Discount"
    assert "discount" not in proposed(text, "columns.discount=").columns


def test_a_discount_as_prices_are_written_is_money(proposed: Propose) -> None:
    for text in (
        table("Price,Discount", "1,A,2,100.00,10.00", "2,B,1,50.00,0.00"),
        table("Price,Discount", "1,A,2,100,10", "2,B,1,50,0"),
        table("Price,Discount,Order total", "1,A,2,100.00,10,190.00", "2,B,1,50.00,5,45.00"),
    ):
        found = proposed(text)
        assert found.columns["discount"] == "Discount"
        assert not found.questions


def test_an_amount_before_its_discount_is_not_what_was_paid(proposed: Propose) -> None:
    rows = ["1,A,2,20.00,2.00", "2,A,1,10.00,0.00", "3,A,3,30.00,0.00"]
    (question,) = proposed(table("Item total,Promotion discount", *rows)).questions
    assert "before" in question.text
    rows[0] = "1,A,2,18.00,2.00"
    found = proposed(table("Item total,Promotion discount", *rows))
    assert not found.questions
    assert found.columns["amount"] == "Item total"


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        ("Einzelpreis brutto", "Gesamtpreis brutto"),
        ("Price (EUR)", "Amount (EUR)"),
        ("PU TTC", "Total ligne TTC"),
        ("単価(税込)", "金額(税込)"),
    ],
)
def test_taxes_and_currencies_behind_a_name_do_not_hide_it(
    proposed: Propose, price: str, amount: str
) -> None:
    found = proposed(table(f"{price},{amount}", "1,A,2,5.00,10.00", "1,B,1,8.00,8.00"))
    assert (found.columns["unit_price"], found.columns["amount"]) == (price, amount)


def test_prices_with_tax_go_before_those_without(proposed: Propose) -> None:
    found = proposed(table("Preis netto,Preis brutto", "1,A,2,4.20,5.00", "2,B,1,6.72,8.00"))
    assert found.columns["unit_price"] == "Preis brutto"


def test_money_that_came_back_is_told_from_a_flag(proposed: Propose) -> None:
    found = proposed(table("Price,Refunded", "1,A,2,5.00,0.00", "2,B,1,8.00,8.00"))
    assert found.columns["refunded_amount"] == "Refunded"
    found = proposed(table("Price,Refunded", "1,A,2,5.00,0", "2,B,1,8.00,1"))
    assert "refunded_amount" not in found.columns
    assert "line_type" in found.columns


def test_gross_is_what_was_paid(proposed: Propose) -> None:
    found = proposed(table("Net,Tax,Gross", "1,A,2,16.81,3.19,20.00", "2,A,1,8.40,1.60,10.00"))
    assert found.columns["amount"] == "Gross"
    assert not found.questions


def test_one_value_that_is_no_number_does_not_cost_the_others_their_money(
    proposed: Propose,
) -> None:
    found = proposed(
        table("Price", "1,A,2,5.00", "2,B,1,8.00", "3,A,1,ten", "4,B,1,8.00", "5,C,1,1.2E+1")
    )
    assert found.columns["unit_price"] == "Price"
    assert not found.questions
    assert any("`ten` in `Price`" in check for check in found.checks)


def test_money_that_nobody_can_read_is_asked_about(proposed: Propose) -> None:
    found = proposed(table("Price", "1,A,2,5.00 a piece", "2,B,1,8.00 per kg"))
    (question,) = found.questions
    assert question.settings == ("columns.amount", "columns.unit_price")
    assert "Price" in question.text
    found = proposed(table("Colour", "1,A,2,red", "2,B,1,blue"))
    assert not found.questions
    assert any("without money" in check for check in found.checks)


def test_a_quantity_in_words_of_its_own_is_not_one_piece(proposed: Propose) -> None:
    head = "Basket,Sold at,SKU,Qty,Price\n"
    rows = ("1,2024-03-01 10:00,A,{},5.00", "2,2024-03-02 10:00,B,{},5.00")
    found = proposed(head + "\n".join(rows).format("2 boxes", "1 crate") + "\n")
    assert [q.settings[0] for q in found.questions] == ["columns.quantity"]
    found = proposed(head + "\n".join(rows).format("2 pcs", "0.5 kg") + "\n")
    assert found.columns["quantity"] == "Qty"
    assert not found.questions
    third = "\n3,2024-03-03 10:00,B,{},5.00\n"
    found = proposed(head + ("\n".join(rows) + third).format("2", "x", "1"))
    assert found.columns["quantity"] == "Qty"
    assert not found.questions


@pytest.mark.parametrize("name", ["discount_percent", "Discount %", "Rabatt in Prozent"])
def test_a_percentage_without_an_amount_is_asked_about(proposed: Propose, name: str) -> None:
    found = proposed(table(f"Price,{name}", "1,A,2,50.00,10", "2,B,1,20.00,0", "3,A,1,50.00,25"))
    assert "discount" not in found.columns
    (question,) = found.questions
    assert question.settings == ("columns.discount", "columns.amount")
    assert name in question.text
    none = proposed(table(f"Price,{name}", "1,A,2,50.00,0", "2,B,1,20.00,0"))
    assert not none.questions


def test_fractions_that_may_be_shares_are_asked_about(proposed: Propose) -> None:
    rows = "1,A,2,50.00,0.1", "2,B,1,20.00,0", "3,A,1,50.00,0.25"
    found = proposed(table("Price,Discount", *rows))
    assert [q.settings for q in found.questions] == [("columns.discount", "columns.amount")]
    cheap = proposed(table("Price,Discount", "1,A,2,1.50,0.10", "2,B,1,2.00,0.25"))
    assert cheap.columns["discount"] == "Discount"
    rows = "1,A,2,50.00,0.1,99.90", "2,B,1,20.00,0,20.00"
    exact = proposed(table("Price,Discount,Order total", *rows))
    assert exact.columns["discount"] == "Discount"
    assert not exact.questions


def test_money_in_cents_is_told_by_its_name(proposed: Propose) -> None:
    found = proposed(table("unit_price_cents,Total (in cents)", "1,A,2,1250,2500", "2,B,1,499,499"))
    assert found.columns["unit_price"] == Column(column="unit_price_cents", times=0.01)
    assert found.columns["amount"] == Column(column="Total (in cents)", times=0.01)
    assert not found.questions
    whole = proposed(table("unit price cents", "1,A,2,12.50", "2,B,1,4.99"))
    assert "unit_price" not in whole.columns
    (question,) = whole.questions
    assert "unit price cents" in question.text
    fils = proposed(table("price_minor", "1,A,2,1250", "2,B,1,4990"), currency="KWD")
    assert fils.columns["unit_price"] == Column(column="price_minor", times=0.001)
