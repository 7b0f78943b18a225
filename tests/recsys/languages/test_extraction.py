"""No text of the source is missed, and catalogues follow the source."""

import re
from pathlib import Path

import pytest

from recsys.languages import catalogues, extraction, read_catalogue

ROOT = Path(__file__).parents[3]
#: A call for a text, wherever it stands: also where the extraction does not look.
CALLS = re.compile(r"""(?<![\w.])(?:t|tn|tparts)\(\s*("(?:[^"\\]|\\.)*"|`|')""")


def test_no_text_of_a_script_is_missed() -> None:
    found = extraction.find_messages(ROOT)
    known = {one.id[0] if isinstance(one.id, tuple) else one.id for one in found}
    for path in (ROOT / "serving/pages/static").glob("*.js"):
        for text in CALLS.findall(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)):
            assert text.strip('"') in known, f"{path.name}: {text}"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path / "catalogues")
    for folder in ("recsys", "serving/pages/static", "serving/pages/templates"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "recsys/words.py").write_text(
        'language.gettext("Old")\nlanguage.npgettext("days", "%(n)s day", "%(n)s days", n)\n'
    )
    (tmp_path / "serving/pages/static/page.js").write_text('t("Hello {name}", { name });\n')
    (tmp_path / "serving/pages/templates/page.html").write_text(
        '{{ _("Title") }}{% trans %}\n A <b>long</b>\n text{% endtrans %}'
    )
    return tmp_path


def ids(tag: str) -> list[object]:
    return [one.id for one in read_catalogue(tag) if one.id]


def test_texts_of_python_templates_and_scripts_get_into_the_catalogue(tree: Path) -> None:
    extraction.update_catalogues(tree, ("ar",))
    assert ids("ar") == [
        "Old",
        ("%(n)s day", "%(n)s days"),
        "Title",
        "A <b>long</b> text",
        "Hello {name}",
    ]
    plural = read_catalogue("ar").get(("%(n)s day", "%(n)s days"), "days")
    assert len(plural.string) == 6


def test_an_update_keeps_what_is_translated_and_drops_what_is_gone(tree: Path) -> None:
    extraction.update_catalogues(tree, ("de",))
    path = catalogues.path_of("de")
    path.write_text(path.read_text().replace('msgid "Old"\nmsgstr ""', 'msgid "Old"\nmsgstr "Alt"'))
    (tree / "serving/pages/static/page.js").write_text("")
    extraction.update_catalogues(tree, ("de",))
    assert read_catalogue("de").get("Old").string == "Alt"
    assert "Hello {name}" not in ids("de")
    before = path.read_bytes()
    extraction.update_catalogues(tree, ("de",))
    assert path.read_bytes() == before
