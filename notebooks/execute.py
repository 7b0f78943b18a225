"""Runs every notebook from its first cell to its last, and keeps what it shows in the file.

``make notebooks`` calls it; it needs the trained workspace of ``make demo``. Times and the machine's
own details are not kept, so that a notebook differs only where its results do.
"""

import base64
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent
COLOURS = 96  # of a plot; enough for its lines, areas and letters


def execute(path: Path, workspace: Path) -> None:
    """Run a notebook on a workspace, and write its outputs into it."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=1800,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env={**os.environ, "OMNIBASKET_WORKSPACE": str(workspace)})
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        # Pandas numbers its tables anew each time, and a plot's size is in the picture.
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = smaller(output["data"]["image/png"])
    nbformat.write(notebook, path)


def smaller(png: str) -> str:
    """Write a picture with few colours, in a third of the bytes."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    written = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "png", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


if __name__ == "__main__":
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else FOLDER.parent / "demo").resolve()
    for path in sorted(FOLDER.glob("*.ipynb")):
        print(path.name, flush=True)
        execute(path, demo)
