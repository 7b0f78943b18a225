"""The encoding of a file is detected from its bytes."""

import io

import pytest

from recsys.ingest.files.encodings import detected_encoding

TEXTS = {
    "cp1252": [
        "Artikel;Größe\nMüsli;1\n",
        "Désignation;Prix €\nthé glacé;2\n",
        "año;ñu\n",
        "Þór;ýsa\nsmjör;æðar í dós\n",
        "Fläche;m²\nRost;3\n",
    ],
    "cp1250": [
        "Artykuł;Ilość\nŻółty ser;1\n",
        "Zboží;Kus\nřepa červená;ťuk\nkočičí žrádlo;2\n",
        "nazwa;cena\nmąka;2\nświeże bułki;3\n",
    ],
    "cp1254": ["Sipariş;Ürün\nşeker ve yağ;1\n", "Fiş;Tutar\nsıcak çay;2\n"],
    "cp932": ["注文番号;商品名\n1;お茶とコーヒー\n", "日付,商品\n2024/03/01,カップ\n"],
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(e, t) for e, texts in TEXTS.items() for t in texts]
)
def test_code_pages_are_known_by_their_letters(encoding: str, text: str) -> None:
    found = detected_encoding(io.BytesIO(text.encode(encoding)))
    assert text.encode(encoding).decode(found) == text


@pytest.mark.parametrize("text", [text for texts in TEXTS.values() for text in texts])
def test_one_damaged_byte_is_no_other_encoding(text: str) -> None:
    good = text.encode() * 10
    assert detected_encoding(io.BytesIO(good + b"T\xe9e;1\n" + good)) == "utf-8"
