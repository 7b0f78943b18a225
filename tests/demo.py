"""The demo that many tests look at: a few households, ingested and trained, made once a run.

It takes a while, so ``conftest`` has it made by a process of its own as soon as it knows that a
test will ask for it, and lets those tests run late. ``python -m tests.demo FOLDER`` makes it.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
#: The others are measured where a test is about them.
FEW_PEERS = ("--set", 'train.peers=["popular", "own_frequency"]')
#: So few households would be ranked without trees, nor would any bundle be certain.
SETTINGS = """
[ranker]
min_customers = 10

[bundles]
min_support = 15
false_discovery_rate = 0.99
"""


def make(folder: Path) -> None:
    """Make the demo, if it is not there yet; who comes second waits."""
    with _locked(folder, fcntl.LOCK_EX):
        if not _is_made(folder):
            _make(folder)


def begin(folder: Path) -> subprocess.Popen[bytes] | None:
    """Have the demo made by another process; None where it is there, or is being made."""
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as lock:
            if _is_made(folder):
                return None
            environment = {k: v for k, v in os.environ.items() if not k.startswith("OMNIBASKET_")}
            # It has the lock from the first moment on, and as long as it lives.
            return subprocess.Popen(
                [sys.executable, "-m", "tests.demo", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={**environment, "PYTHONPATH": str(ROOT)},
                pass_fds=[lock],
            )
    except BlockingIOError:
        return None


def _make(folder: Path) -> None:
    from training.cli import main

    for step in (["demo", "--households", "80", "--force"], ["ingest"], ["train", *FEW_PEERS]):
        result = CliRunner().invoke(main, [*step, "--workspace", str(folder)])
        assert result.exit_code == 0, result.output
        if step[0] == "demo":
            _join_events(folder / "exports" / "events")
            with (folder / "omnibasket.toml").open("a", encoding="utf-8") as settings:
                settings.write(SETTINGS)
    (folder / "done").touch()


def _join_events(folder: Path) -> None:
    """Write several months of events as one file; what a file costs does not depend on its rows.

    April is left alone: some of its lines are broken, and told of by file and number.
    """
    for months in (range(1, 4), range(5, 13)):
        parts = [folder / f"events-2017-{month:02}.ndjson" for month in months]
        text = b"".join(part.read_bytes() for part in parts)
        for part in parts[:-1]:
            part.unlink()
        parts[-1].write_bytes(text)


def _is_made(folder: Path) -> bool:
    return (folder / "done").exists()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[int]:
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield lock.fileno()


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
