"""Figures in README.md and docs are those of the kept results, and all of them are generated."""

import re

import pytest

from benchmarks._figures import (
    DOCUMENTS,
    FIGURES,
    ROOT,
    TABLES,
    named,
    read,
    with_figures,
    without_figures,
)

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)

#: Tables of settings, limits and rules: by document, the beginnings of their headings.
NOT_MEASURED = {
    "docs/benchmarks.md": (
        "| method | what it is | tuned |",
        "| in the table | the share of",
        "| folder | from |",
    ),
    "docs/bundles.md": ("| column | meaning |",),
    "docs/configuration.md": ("| setting | default | meaning |",),
    "docs/demo.md": ("| quota | share |",),
    "docs/http.md": (
        "| call | what it does |",
        "| policy | what it limits |",
        "| call | fields of each record |",
        "| what happens | what the service does |",
    ),
}
#: Tables whose results are still to be kept.
WAITING = {
    "README.md": ("| task | metric | Omnibasket |", "| baskets | measure |"),
    "docs/benchmarks.md": (
        "| | method | false discovery rate |",
        "| | method | found |",
        "| | pairs | holds |",
        "| | method | seconds |",
        "| method | recall@20 |",
        "| task | `diversity` |",
    ),
    "docs/ranking.md": (
        "| way | NDCG@10 |",
        "| `weights = { cart = … }` |",
        "| placement | `new_share` |",
    ),
}
#: What a measured figure looks like: ``.123``, ``12.3``, ``12%``, ``±``, ``1,234``, ``12 ms``.
MEASURED = re.compile(r"(?<![\w.])\.\d{2,}|\d\.\d|\d%|±|\d,\d{3}|\d (ms|s|MB|GB)\b")


@every_document
def test_figures_are_those_of_the_results(path):
    text = path.read_text(encoding="utf-8")
    assert with_figures(text, read) == text, "run `make figures`"


@every_document
def test_marks_are_known_and_closed(path):
    text = path.read_text(encoding="utf-8")
    known = {*TABLES, *FIGURES}
    assert [name for name in named(text) if name not in known] == []
    assert named(without_figures(text)) == [], "a mark is not closed, or names the other kind"
    assert "end of figures" not in without_figures(text)
    assert "/figure" not in without_figures(text)
    assert not re.search("^ *<!-- figure:", text, re.MULTILINE), "it would end the paragraph"


@every_document
def test_no_table_of_figures_is_typed_by_hand(path):
    name = str(path.relative_to(ROOT))
    allowed = NOT_MEASURED.get(name, ()) + WAITING.get(name, ())
    typed = [
        heading
        for heading, body in tables(path.read_text(encoding="utf-8"))
        if MEASURED.search(body) and not heading.startswith(allowed)
    ]
    assert typed == []


@pytest.mark.parametrize("listed", [NOT_MEASURED, WAITING], ids=["not measured", "waiting"])
def test_tables_that_are_let_through_are_there(listed):
    for name, headings in listed.items():
        found = tables((ROOT / name).read_text(encoding="utf-8"))
        there = [heading for heading, body in found if MEASURED.search(body)]
        for heading in headings:
            assert any(one.startswith(heading) for one in there), f"{name}: {heading}"


def test_figures_of_a_table_are_found():
    text = "| a | b |\n|---|---|\n| x | {} |\n\nword\n"
    for figure in (".123", "12.5", "12%", "± 3", "1,234", "12 ms"):
        ((heading, body),) = tables(text.format(figure))
        assert heading == "| a | b |"
        assert MEASURED.search(body)
    for setting in ("`0.25`", "2, 3", "10 or more", "10,30"):
        ((_, body),) = tables(text.format(setting))
        assert not MEASURED.search(body)
    assert tables("<!-- figures: x -->\n" + text + "<!-- end of figures -->\n") == []


def test_changed_figures_are_made_anew(plant):
    results = plant(hm_week={("hm_week", "omnibasket", "ndcg@12"): (0.5, 0.25, 0.75, 1076)})
    text = "What <!-- figure: one_history_customers -->old<!-- /figure --> customers buy"
    assert with_figures(text, results) == text.replace("old", "1,076")


def test_marks_that_there_are_not_are_errors():
    for text in (
        "<!-- figures: no_such -->\n<!-- end of figures -->\n",
        "<!-- figure: no_such -->1<!-- /figure -->",
    ):
        with pytest.raises(KeyError, match="no_such"):
            with_figures(text, read)


def tables(text):
    """Heading and text of every table outside marks, without what is code."""
    text = re.sub(r"^```.*?^```$", "", without_figures(text), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^(\|.*\|)\n\|[-|: ]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE)
    return [(heading, re.sub(r"`[^`]*`", "", body)) for heading, body in found]
