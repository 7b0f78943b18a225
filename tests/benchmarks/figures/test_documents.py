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
#: What a measured figure looks like in a table, and in a sentence, where settings are told, too.
IN_TABLE = re.compile(r"(?<![\w.])\.\d{2,}|\d\.\d|\d%|±|\d,\d{3}|\d (ms|s|MB|GB)\b")
IN_SENTENCE = re.compile(r"(?<![\w.])\.\d{2,}|\d\.\d (ms|s|GB)\b")


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
def test_no_figure_is_typed_by_hand(path):
    name = str(path.relative_to(ROOT))
    allowed = NOT_MEASURED.get(name, ())
    typed = [part for part in with_typed_figures(path) if not part.startswith(allowed)]
    assert typed == []


def test_what_is_let_through_is_there():
    for name, beginnings in NOT_MEASURED.items():
        typed = with_typed_figures(ROOT / name)
        for beginning in beginnings:
            assert any(part.startswith(beginning) for part in typed), f"{name}: {beginning}"


@pytest.mark.parametrize("figure", [".123", "12.5", "12%", "± 3", "1,234", "12 ms"])
def test_figures_of_a_table_are_found(figure):
    assert typed_figures(f"| a | b |\n|---|---|\n| x | {figure} |\n") != []


@pytest.mark.parametrize("figure", [".123", "9.3 ms"])
def test_figures_of_a_sentence_are_found(figure):
    assert typed_figures(f"A word,\nand {figure} of it.\n") != []


def test_settings_and_generated_figures_are_no_typed_ones():
    for cell in ("`0.25`", "2, 3", "10 or more", "10,30"):
        assert typed_figures(f"| a | b |\n|---|---|\n| x | {cell} |\n") == []
    assert typed_figures("The default is 0.25, `.25` in short.\n\n```\n.123\n```\n") == []
    text = "<!-- figures: x -->\n| a |\n|---|\n| .123 |\n<!-- end of figures -->\n"
    assert typed_figures(text + "and <!-- figure: y -->.123<!-- /figure -->\n") == []


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


def with_typed_figures(path):
    return typed_figures(path.read_text(encoding="utf-8"))


def typed_figures(text):
    """Tables and paragraphs that hold figures outside marks; what is code does not count."""
    text = re.sub(r"^```.*?^```$", "", without_figures(text), flags=re.MULTILINE | re.DOTALL)
    found = []
    for part in re.split(r"\n\s*\n|\n(?=\|[^\n]*\n\|---)", text.strip()):
        heading, is_table, body = part.partition("\n|---")
        told = re.sub(r"`[^`]*`", "", body if is_table else part)
        if (IN_TABLE if is_table else IN_SENTENCE).search(told):
            found.append(heading)
    return found
