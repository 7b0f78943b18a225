"""Words for the status of lines and orders, and for channels."""

import pytest

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose


def table(name: str, *values: str, quantity: tuple[str, ...] = ()) -> str:
    """Write one order per row, each with another value of a column."""
    rows = "".join(
        f"{n};2024-03-{n:02} 10:00;A{n % 3};{quantity[n - 1] if quantity else 1};5.00;c{n};"
        f"{value}\n"
        for n, value in enumerate(values, 1)
    )
    return f"order_no;sold_at;sku;qty;price;customer_id;{name}\n{rows}"


@pytest.mark.parametrize(
    ("name", "sold", "back"),
    [
        ("Document type", "Invoice", "Credit note"),
        ("Belegart", "Verkauf", "Retoure"),
        ("Type de ligne", "Vente", "Retour"),
        ("Tipo documento", "Venta", "Devolución"),
        ("Rodzaj", "Sprzedaż", "Zwrot"),
        ("İşlem türü", "Satış", "İade"),
        ("نوع", "فروش", "مرجوعی"),
        ("取引区分", "売上", "返品"),
        ("What happened", "Payment", "Refund"),
    ],
)
def test_words_for_returns_say_what_a_line_is(
    proposed: Propose, name: str, sold: str, back: str
) -> None:
    found = proposed(table(name, sold, sold, back))
    assert found.columns["line_type"] == Column(
        column=name,
        map={word: {sold: "sale", back: "return"}[word] for word in sorted({sold, back})},
    )
    assert "cancelled" not in found.columns


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Order status", "Delivered", "Cancelled"),
        ("Bestellstatus", "versendet", "storniert"),
        ("Statut", "livrée", "annulée"),
        ("Estado", "entregado", "cancelado"),
        ("Stato ordine", "consegnato", "annullato"),
        ("Status zamówienia", "zrealizowane", "anulowane"),
        ("Sipariş durumu", "teslim edildi", "iptal edildi"),
        ("الحالة", "مكتمل", "ملغي"),
        ("وضعیت", "تکمیل شده", "لغو شده"),
        ("სტატუსი", "დასრულებული", "გაუქმებული"),
        ("注文ステータス", "発送済", "キャンセル"),
        ("Payment status", "paid", "voided"),
        ("Payment status", "captured", "payment failed"),
    ],
)
def test_words_of_a_status_say_what_was_cancelled(
    proposed: Propose, name: str, good: str, bad: str
) -> None:
    found = proposed(table(name, good, good, bad))
    assert found.columns["cancelled"] == Column(
        column=name, map={word: {good: "no", bad: "yes"}[word] for word in sorted({good, bad})}
    )
    assert "line_type" not in found.columns


@pytest.mark.parametrize(
    ("yes", "no"), [("Ja", "Nein"), ("oui", "non"), ("1", "0"), ("はい", "いいえ")]
)
def test_yes_and_no_need_no_map(proposed: Propose, yes: str, no: str) -> None:
    assert proposed(table("Storno", no, no, yes)).columns["cancelled"] == "Storno"


def test_the_time_of_a_cancellation_is_a_yes(proposed: Propose) -> None:
    found = proposed(table("Cancelled at", "", "", "2024-03-05 10:00"))
    assert found.columns["cancelled"] == "Cancelled at"


def test_a_status_in_good_order_is_written_down_as_well(proposed: Propose) -> None:
    """Values further down that were not sampled are rejected instead of read as sales."""
    found = proposed(table("Status", "completed", "processing"))
    assert found.columns["cancelled"] == Column(
        column="Status", map={"completed": "no", "processing": "no"}
    )


@pytest.mark.parametrize("name", ["Status", "State", "Type", "Art"])
def test_words_of_something_else_say_nothing(proposed: Propose, name: str) -> None:
    found = proposed(table(name, "California", "Texas", "Ohio"))
    assert not {"cancelled", "line_type"} & set(found.columns)
    assert not found.questions


def test_lines_that_were_struck_out_do_not_cancel_their_order(proposed: Propose) -> None:
    head = "order_no,sold_at,sku,qty,price,Line status\n"
    rows = "1,2024-03-01,A,1,5,Shipped\n1,2024-03-01,B,1,6,Cancelled\n2,2024-03-02,A,1,5,Shipped\n"
    found = proposed(head + rows)
    assert found.columns["line_type"] == Column(
        column="Line status", map={"Cancelled": "voided", "Shipped": "sale"}
    )
    assert "cancelled" not in found.columns


def test_a_refunded_order_is_as_if_it_had_not_been(proposed: Propose) -> None:
    found = proposed(table("Status", "completed", "completed", "refunded"))
    assert found.columns["cancelled"] == Column(
        column="Status", map={"completed": "no", "refunded": "yes"}
    )
    assert any("all of it was returned" in check for check in found.checks)


def test_a_refund_that_is_negative_is_a_return_already(proposed: Propose) -> None:
    text = table("Status", "completed", "completed", "refunded", quantity=("1", "1", "-1"))
    assert proposed(text).columns["cancelled"] == Column(
        column="Status", map={"completed": "no", "refunded": "no"}
    )


def test_what_came_back_in_part_counts(proposed: Propose) -> None:
    found = proposed(table("Status", "completed", "partially_refunded", "cancelled"))
    assert found.columns["cancelled"] == Column(
        column="Status",
        map={"cancelled": "yes", "completed": "no", "partially_refunded": "no"},
    )


def test_a_return_flag(proposed: Propose) -> None:
    found = proposed(table("Is return", "no", "yes", "no"))
    assert found.columns["line_type"] == Column(
        column="Is return", map={"no": "sale", "yes": "return"}
    )


def test_an_unknown_word_beside_known_ones_is_asked_about(proposed: Propose) -> None:
    text = table("Transaction type", "Sale", "Refund", "Exchange")
    (question,) = proposed(text).questions
    assert question.serious
    assert "`Exchange`" in question.text
    said = proposed(
        text,
        'columns.line_type={column = "Transaction type", map = {Sale = "sale", Refund = "return"}}',
    )
    assert not said.questions


def test_an_unknown_word_for_cancelled_is_asked_about(proposed: Propose) -> None:
    (question,) = proposed(table("Cancelled", "no", "perhaps")).questions
    assert question.settings[0] == "columns.cancelled"


def test_few_words_of_channels_are_the_channel(proposed: Propose) -> None:
    found = proposed(table("Source", "pos", "web", "pos"))
    assert found.columns["channel"] == "Source"
    found = proposed(table("Bought through", "Online shop", "Filiale", "App"))
    assert found.columns["channel"] == Column(
        column="Bought through", map={"App": "app", "Filiale": "pos", "Online shop": "web"}
    )
    assert any("`Bought through` is used as the channel" in check for check in found.checks)


def test_sources_of_visitors_are_no_channel(proposed: Propose) -> None:
    found = proposed(table("Source", "google", "facebook", "web"))
    assert "channel" not in found.columns
    assert found.settings["channel"] == "web"


def test_a_channel_that_is_not_clear_is_left_to_a_person(proposed: Propose) -> None:
    text = table("Sales channel", "e-Shop", "Kiosk", "Flagship store")
    found = proposed(text)
    assert found.values["channel"] == (
        "Sales channel",
        {"Flagship store": "pos", "Kiosk": None, "e-Shop": "web"},
    )
    assert [question.serious for question in found.questions] == [False]
    said = proposed(text, "channel=web")
    assert not said.questions
    assert said.settings["channel"] == "web"
