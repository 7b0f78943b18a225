"""Every notebook runs from its first cell to its last, on a small demo workspace."""

import gc
import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_CELL_SECONDS = 300
_MOST_BYTES = 600_000
#: Where something lies on somebody's machine.
MACHINE = re.compile(r"(?<![\w.])/(home|root|tmp|work|Users|var|opt|usr)/")


#: A notebook that builds a demo gets the one of the tests: exported and read, without a history.
BUILT = """
import training.demo

def build(folder, **_):
    import os
    import shutil
    from types import SimpleNamespace

    done = shutil.ignore_patterns("history", "artefacts", "runs", "ledger.sqlite*")
    shutil.copytree(os.environ["OMNIBASKET_WORKSPACE"], folder, ignore=done)
    return SimpleNamespace(folder=folder)

training.demo.build = build
"""

#: What the notebook before has drawn; a process warns of more than twenty.
CLOSED = "import matplotlib.pyplot; matplotlib.pyplot.close('all')"


@pytest.fixture(scope="module")
def kernel(trained_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One process for all notebooks, so that libraries are loaded once."""
    at = {"metadata": {"path": str(tmp_path_factory.mktemp("notebooks"))}}
    first = NotebookClient(new_notebook(), kernel_name="python3", resources=at)
    manager = first.create_kernel_manager()
    environment = {**os.environ, "OMNIBASKET_WORKSPACE": str(trained_demo), "MPLBACKEND": "agg"}
    first.start_new_kernel(env=environment)
    yield manager
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        first._cleanup_kernel()
        del first, manager
        gc.collect()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The kernel's own libraries complain about each other; the notebook's warnings show in its cells.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_notebook_runs(path: Path, kernel: Any) -> None:
    notebook = nbformat.read(path, as_version=4)
    before = [new_code_cell(text) for text in (BUILT, CLOSED, "%reset -f")]
    notebook.cells = [*before, *notebook.cells]
    client = NotebookClient(notebook, timeout=_CELL_SECONDS, km=kernel)
    client.execute()
    client.kc.stop_channels()
    del client
    gc.collect()  # its sockets, whose own complaints count for nothing here
    cells = [cell for cell in notebook.cells[len(before) :] if cell.cell_type == "code"]
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
