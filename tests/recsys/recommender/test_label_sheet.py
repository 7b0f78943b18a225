"""A sheet of labels: codes that hold what they should, titles that stay text."""

import re

import segno

from recsys.languages import language_of
from recsys.recommender.label_sheet import ShelfLabel, draw_code, label_sheet

HOSTILE = "</div><script>alert('x')</script> & \"Co\""


def label(title: str = "Tea", **fields: str) -> ShelfLabel:
    return ShelfLabel(
        url="https://a.example/p/1", title=title, price="€1.50", item_id="1", **fields
    )


def modules(svg: str) -> set[tuple[int, int]]:
    """Read the dark modules of a drawn code, row by row, from its lines."""
    (path,) = re.findall(r'stroke="#000" d="([^"]*)"', svg)
    dark, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if command == "h":
            dark |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
        elif command == "M":
            x, y = values
        else:
            x, y = x + values[0], y + values[1]
    return dark


def test_the_drawn_code_is_that_of_the_address() -> None:
    url = "https://shop.example/p/A%2F1%20%C3%BC?location=S%202"
    made = segno.make(url, error="m", micro=False, boost_error=False)
    expected = {
        (x + 4, y + 4)
        for y, row in enumerate(made.matrix)
        for x, is_dark in enumerate(row)
        if is_dark
    }
    assert made.error == "M"
    assert modules(draw_code(url)) == expected


def test_titles_are_text_whatever_they_hold() -> None:
    sheet = label_sheet([label(HOSTILE, gtin="<b>")], language_of("en"), store=HOSTILE)
    assert "<script" not in sheet
    assert "&lt;/div&gt;&lt;script&gt;" in sheet
    assert "<b>" not in sheet


def test_a_sheet_is_in_one_language_and_loads_nothing() -> None:
    sheet = label_sheet([label(), label()], language_of("ar"), store="متجر", columns=4)
    assert '<html lang="ar" dir="rtl">' in sheet
    assert sheet.count('<article class="label">') == 2
    assert "repeat(4," in sheet
    assert not re.search(r"\b(src|href)=|url\(|@import", sheet)


def test_a_number_is_printed_once() -> None:
    sheet = label_sheet([label(gtin="1")], language_of("de"), store="S1")
    assert sheet.count("<bdi>1</bdi>") == 1
