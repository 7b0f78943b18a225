"""Every text is in every language, whole: with its placeholders, in every plural form."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from babel.messages import Catalog

from recsys.languages import FOLDER, TAGS, read_catalogue, script_messages
from recsys.languages.catalogues import translations_of
from recsys.languages.extraction import PLURAL_FORMS, find_messages

ROOT = Path(__file__).parents[3]
TRANSLATED = TAGS[1:]
#: ``%(name)s`` of Python and templates, ``{name}`` of scripts, and what is markup.
HOLES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?[a-z]+[^>]*>")
#: Names of the plural forms that stand for one number alone, which they may put in words.
OF_ONE_NUMBER = {"de": (0,), "ka": (0,), "ar": (0, 1, 2), "fr": (), "fa": ()}


@pytest.fixture(scope="module")
def source() -> Catalog:
    return find_messages(ROOT)


@pytest.fixture(scope="module", params=TRANSLATED)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return read_catalogue(request.param)


def keys(catalogue: Catalog) -> set[tuple[str | None, object]]:
    return {(one.context, one.id) for one in catalogue if one.id}


def test_each_language_has_a_catalogue_and_no_other() -> None:
    assert {path.parts[-3] for path in FOLDER.glob("*/*/*.po")} == set(TRANSLATED)
    assert set(PLURAL_FORMS) == set(TRANSLATED)


def test_it_has_the_texts_of_the_source_and_no_others(source: Catalog, catalogue: Catalog) -> None:
    assert keys(source) - keys(catalogue) == set(), "run `make messages`, and translate"
    assert keys(catalogue) - keys(source) == set(), "run `make messages`"
    assert not catalogue.obsolete


def test_it_names_the_files_that_its_texts_stand_in(source: Catalog, catalogue: Catalog) -> None:
    stale = [
        one.id
        for one in catalogue
        if one.id and {*one.locations} != {*source.get(one.id, one.context).locations}
    ]
    assert not stale, "run `make messages`"


def test_no_text_is_empty_or_doubtful(catalogue: Catalog) -> None:
    for one in catalogue:
        if one.id:
            texts = one.string if isinstance(one.string, tuple) else (one.string,)
            assert all(text and text.strip() for text in texts), one.id
            assert not one.fuzzy, one.id


def test_plural_forms_are_those_of_the_language(catalogue: Catalog) -> None:
    tag = catalogue.locale_identifier
    assert catalogue.plural_forms.rstrip(";") == PLURAL_FORMS[tag].rstrip(";").replace("; ", "; ")
    for one in catalogue:
        if isinstance(one.id, tuple):
            assert len(one.string) == catalogue.num_plurals, one.id


@pytest.mark.parametrize("tag", TRANSLATED)
def test_scripts_and_gettext_choose_the_same_plural_form(tag: str) -> None:
    categories = script_messages(tag, "dashboard")["categories"]
    chosen = translations_of(tag).plural
    for n in range(1, 1_001):
        category = Locale.parse(tag).plural_form(n)
        assert chosen(n) == categories.index(category), n


def test_placeholders_are_those_of_the_source(catalogue: Catalog) -> None:
    for one in catalogue:
        if one.id:
            for wanted, spared, text in forms(one, catalogue.locale_identifier):
                found = sorted(HOLES.findall(text))
                assert found in (sorted(wanted), sorted(spared)), (one.id, text)


def forms(one: object, tag: str) -> Iterator[tuple[list[str], list[str], str]]:
    """Yield a text's forms with the placeholders that they need, or need at least."""
    if not isinstance(one.id, tuple):
        wanted = HOLES.findall(one.id)
        yield wanted, wanted, one.string
        return
    single, many = (HOLES.findall(text) for text in one.id)
    for form, text in enumerate(one.string):
        # What English leaves out for one, other languages may leave out for one, too.
        alone = form in OF_ONE_NUMBER[tag] or (form == 0 and len(single) < len(many))
        spared = [hole for hole in many if hole not in COUNTS] if alone else many
        yield many, spared, text


#: Placeholders of the number that chooses a plural form.
COUNTS = ("%(every)s", "%(since)s", "%(days)s", "{n}")


def test_scripts_have_their_own_texts_and_no_others() -> None:
    dashboard = script_messages("de", "dashboard")["messages"]
    assert dashboard["Approve"] == "Freigeben"
    assert dashboard["{n} bundle"] == ["{n} Bundle", "{n} Bundles"]
    assert "Popular right now" not in dashboard
    assert script_messages("de", "omnibasket")["messages"]["Code {code}"] == "Code {code}"
    assert script_messages("en", "dashboard")["messages"] == {}
