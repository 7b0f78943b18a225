"""The words of exports: every language says yes, no, cancelled, refund, sale and void."""

from itertools import combinations

import pytest

from recsys.values.vocabulary import (
    CANCELLED,
    NO,
    REFUND,
    SALE,
    VOID,
    YES,
    fold,
    meaning_of_word,
    words_by_meaning,
)

ALL = {"yes": YES, "no": NO, "cancelled": CANCELLED, "refund": REFUND, "sale": SALE, "void": VOID}
SAID = {
    "yes": "Yes TRUE 1 Y Ja WAHR Oui Sí SÌ Tak EVET نعم بله დიახ კი はい ✓ x",
    "no": "No FALSE 0 N Nein FALSCH Non Nie HAYIR Hayır لا خیر خير არა いいえ - —",
    "cancelled": "Cancelled CANCELED wc-cancelled Storniert ANNULÉ annulée Cancelado Anulada "
    "Annullato Anulowano İPTAL iptal ملغي مُلغى لغو ملغى გაუქმებული キャンセル 取消 failed "
    "Declined EXPIRED fehlgeschlagen échoué rechazado scaduto odrzucono "
    "başarısız مرفوض ناموفق 失敗",
    "refund": "Refund REFUNDED return Rückgabe Retoure RÜCKERSTATTUNG remboursé Devolución "
    "rimborso Zwrot İade مرتجع مرجوعی დაბრუნება 返品 返金",
    "sale": "Sale paid completed Verkauf bezahlt vente payée venta vendita sprzedaż satış بيع فروش "
    "გაყიდვა 販売",
    "void": "Void VOIDED Storno annullo anulación 無効 باطل",
}


@pytest.mark.parametrize("said", SAID)
def test_each_language_is_understood(said: str) -> None:
    words = SAID[said].split()
    assert {word: meaning_of_word(word) for word in words} == dict.fromkeys(words, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Not cancelled", "no"),
        ("nicht storniert", "no"),
        ("iptal edilmedi", "no"),
        ("payment failed", "cancelled"),
        ("Süresi doldu", "cancelled"),
        ("لغو شده", "cancelled"),
        ("Credit note", "refund"),
        ("  Ｙｅｓ ", "yes"),
        ("بله\u200c", "yes"),
        ("canceled_by_buyer", "cancelled"),
    ],
)
def test_phrases_and_other_ways_of_writing(text: str, said: str) -> None:
    assert meaning_of_word(text) == said


@pytest.mark.parametrize("text", ["", " ", "pending", "-1", "?", "2", "O", "S", "on hold", "tea"])
def test_what_is_not_known_stays_unknown(text: str) -> None:
    assert meaning_of_word(text) is None


def test_no_word_has_two_meanings() -> None:
    shared = {(a, b): ALL[a] & ALL[b] for a, b in combinations(ALL, 2)}
    assert {pair: words for pair, words in shared.items() if words} == {}


def test_words_are_folded_and_folding_twice_is_once() -> None:
    words = set().union(*ALL.values())
    assert "" not in words
    assert {word for word in words if fold(word) != word} == set()


def test_letters_are_read_by_the_company_they_keep() -> None:
    assert words_by_meaning(["O", "N"]) == {"O": "yes", "N": "no"}
    assert words_by_meaning(["s", "n"]) == {"s": "yes", "n": "no"}
    assert words_by_meaning(["E", "H"]) == {"E": "yes", "H": "no"}
    assert words_by_meaning(["O", "C", "N"]) == {
        "O": None,
        "C": None,
        "N": "no",
    }  # open, closed, new?
    assert words_by_meaning(["Ja", "Nein"]) == {"Ja": "yes", "Nein": "no"}


def test_turkish_letters_and_japanese_marks_keep_words_apart() -> None:
    assert fold("İPTAL") == fold("iptal") == "iptal"
    assert fold("HAYIR") == fold("hayır")
    assert fold("ガ") != fold("カ")
