"""Tables of figures in README.md and docs are those of the kept results."""

import json

import pytest

from benchmarks import _figures as figures


@pytest.mark.parametrize("path", figures.DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_those_of_the_results(path):
    text = path.read_text(encoding="utf-8")
    assert figures.with_tables(text) == text, "run `make figures`"


def test_a_changed_figure_is_seen():
    text = "<!-- figures: one_history -->\n| old |\n<!-- end of figures -->\n"
    assert "| **" in figures.with_tables(text)


def test_a_table_that_there_is_not_is_an_error():
    with pytest.raises(KeyError, match="no_such_table"):
        figures.with_tables("<!-- figures: no_such_table -->\n<!-- end of figures -->\n")


@pytest.mark.parametrize("path", sorted(figures.RESULTS.glob("*.json")), ids=lambda p: p.name)
def test_results_say_where_they_come_from(path):
    machine = json.loads(path.read_text(encoding="utf-8"))["machine"]
    assert {"cores", "memory_gb", "python", "versions", "date", "commit"} <= machine.keys()
