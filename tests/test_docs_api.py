"""The API reference in ``docs/api`` says what the docstrings say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "api_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_those_of_the_docstrings(reference: ModuleType) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in reference.PAGES.glob("*.md")}
    made = reference.pages()
    assert written.keys() == made.keys()
    changed = [name for name, text in made.items() if written[name] != text]
    assert not changed, "run `make api`"


def test_every_room_has_a_page(reference: ModuleType) -> None:
    rooms = {path.parent.name for path in (ROOT / "recsys").glob("*/__init__.py")}
    assert rooms == set(reference.ROOMS)


def test_a_page_shows_parameters_with_their_shapes(reference: ModuleType) -> None:
    page = reference.pages()["evaluation.md"]
    assert "| `values` | `ndarray of shape (n,), float64` |" in page


def test_every_parameter_of_the_public_api_is_explained(reference: ModuleType) -> None:
    assert reference.undocumented() == []
