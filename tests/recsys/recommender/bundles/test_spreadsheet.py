"""A table holds every bundle, whatever is known of it, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundles.bundle_table import bundle_id
from recsys.bundles.terms import Counts, Decision, Terms
from recsys.config.settings import BundleSettings
from recsys.recommender.bundles.documents import row
from recsys.recommender.bundles.listing import ListRequest, matching_bundles
from recsys.recommender.bundles.spreadsheet import spreadsheet
from recsys.recommender.bundles.suggestions import Suggestions
from recsys.recommender.engine import Engine

FOUR = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def suggestions(artefact_folder):
    """What was found, and a bundle of four that the model does not know."""
    terms = Terms(
        status="approved",
        price_minor=300,
        currency="EUR",
        budget_minor=9000,
        channels=("web", "pos"),
        note='"Spring", and\nmore',
    )
    name = bundle_id("together", FOUR)
    gone = Decision(
        bundle_id=name,
        kind="together",
        item_ids=FOUR,
        terms=terms,
        revision=3,
        changed_ts=0,
        changed_by="@ada",
    )
    return Suggestions(Engine.load(artefact_folder), {name: gone}, BundleSettings())


def every(suggestions):
    return matching_bundles(suggestions, ListRequest(show="all")).names


def read(content):
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_bundle_has_a_row_with_all_columns(suggestions):
    names = every(suggestions)
    rows = read(spreadsheet([row(suggestions, name) for name in names]))
    assert [told["bundle_id"] for told in rows] == names
    assert len({frozenset(told) for told in rows}) == 1
    assert None not in rows[0].values()
    assert float(rows[0]["lift"]) == row(suggestions, names[0])["lift"]


def test_what_the_model_does_not_know_is_empty(suggestions):
    found = row(suggestions, bundle_id("together", FOUR), Counts(issued=2, reserved_minor=80))
    (told,) = read(spreadsheet([found]))
    assert [told[f"item_{n}"] for n in range(1, 5)] == list(FOUR)
    assert (told["support"], told["lift"], told["full_price_minor"]) == ("", "", "")
    assert (told["price_minor"], told["budget_minor"], told["currency"]) == ("300", "9000", "EUR")
    assert (told["channels"], told["note"]) == ("web, pos", '"Spring", and\nmore')
    assert (told["issued"], told["reserved_minor"]) == ("2", "80")
    assert (told["in_model"], told["gives_back"]) == ("no", "yes")
    assert told["changed_by"] == "'@ada"


def test_nothing_is_a_heading(suggestions):
    assert read(spreadsheet([])) == []
    assert spreadsheet([]).startswith(b"\xef\xbb\xbfbundle_id,")


@given(title=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10))
def test_no_cell_is_a_formula(suggestions, title):
    found = row(suggestions, every(suggestions)[0])
    found["items"] = [{**item, "title": title} for item in found["items"]]
    (told,) = read(spreadsheet([found]))
    assert told["title_1"].removeprefix("'") == title.removeprefix("'")
    assert not told["title_1"].startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    "title",
    [
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "﹢1",
        "−1",
        " =1",
        "\u00a0=1",
        "\u200b=1",
        "\u202e=1",
        "\ufeff=1",
        "\t=1",
        "\r\n=1",
        "=cmd|' /C calc'!A0",
    ],
)
def test_signs_in_any_dress_are_made_safe(suggestions, title):
    found = row(suggestions, every(suggestions)[0])
    found["items"] = [{**item, "title": title} for item in found["items"]]
    (told,) = read(spreadsheet([found]))
    assert told["title_1"] == f"'{title}"


@pytest.mark.parametrize("title", ["Milk - 1 L", "1+1", "", "Ｍilk", "A=B"])
def test_other_texts_stay_as_they_are(suggestions, title):
    found = row(suggestions, every(suggestions)[0])
    found["items"] = [{**item, "title": title} for item in found["items"]]
    (told,) = read(spreadsheet([found]))
    assert told["title_1"] == title
