"""Every notebook runs from its first cell to its last, on a small demo workspace."""

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_CELL_SECONDS = 300
_MOST_BYTES = 600_000
#: Where something lies on somebody's machine.
MACHINE = re.compile(r"(?<![\w.])/(home|root|tmp|work|Users|var|opt|usr)/")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The kernel's own libraries complain about each other; the notebook's warnings show in its cells.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_notebook_runs(path: Path, trained_demo: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    environment = {**os.environ, "OMNIBASKET_WORKSPACE": str(trained_demo), "MPLBACKEND": "agg"}
    client.execute(env=environment)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.execution_count for cell in cells if cell.source.strip())
    assert warned(notebook) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_what_it_shows(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not any(output.output_type == "error" for output in shown)
    assert warned(notebook) == []
    assert not MACHINE.search(json.dumps([without_pictures(output) for output in shown]))
    assert path.stat().st_size < _MOST_BYTES


def warned(notebook: nbformat.NotebookNode) -> list[str]:
    """What went to standard error: warnings, as a rule."""
    return [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]


def without_pictures(output: nbformat.NotebookNode) -> dict[str, Any]:
    data = {kind: part for kind, part in output.get("data", {}).items() if kind != "image/png"}
    return {**output, "data": data}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_calls_the_library_and_defines_nothing(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert not [line for line in code.splitlines() if line.startswith(("def ", "class "))]
    assert cells[0].cell_type == "markdown"
