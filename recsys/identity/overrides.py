"""Links that a user has undone: in the settings, and in a file that commands write.

``omnibasket identity undo`` and the service add a line to ``undone.txt`` in the state folder,
``redo`` takes it away, and the ingest reads what both the file and ``[identity] undone`` say.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from recsys import durable_files
from recsys.config import Config
from recsys.errors import DataError

FILE = "undone.txt"
LOCK = "undone.lock"
_HEADER = "# Links that must not join, one a line. Written by `omnibasket identity undo`.\n"
_LINK_ID = re.compile(r"l[0-9a-f]{16}")


def undone_links(config: Config) -> list[str]:
    """Return every link that must not join, from the settings and the file, sorted.

    Raises
    ------
    DataError
        When a line of the file is no link.
    """
    return sorted({*config.identity.undone, *undone_in_file(config)})


def undone_in_file(config: Config) -> dict[str, str]:
    """Return what the file says: note by link.

    Raises
    ------
    DataError
        When a line of the file is no link.
    """
    path = path_of(config)
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        link_id, _, note = (part.strip() for part in line.partition("#"))
        if not link_id:
            continue
        if not _LINK_ID.fullmatch(link_id):
            raise DataError(
                f"{path}, line {number}: `{link_id}` is no link. Correct or remove the line; "
                "`omnibasket identity links` lists the links."
            )
        found[link_id] = note
    return found


def undo(config: Config, link_id: str, at: datetime, reason: str = "") -> bool:
    """Write that a link must not join; the next ingest applies it.

    Parameters
    ----------
    config : Config
    link_id : str
    at : datetime
        When it was decided, UTC; noted beside the link.
    reason : str
        Why; noted beside the link. One line.

    Returns
    -------
    bool
        False where the file said so already.

    Raises
    ------
    DataError
        When ``link_id`` does not look like one, or a line of the file is no link.
    """
    if not _LINK_ID.fullmatch(link_id):
        raise DataError(f"`{link_id}` is no link. `omnibasket identity links` lists the links.")
    with _alone(config):
        known = undone_in_file(config)
        if link_id in known:
            return False
        note = " ".join(f"{at:%Y-%m-%dT%H:%M:%SZ} {reason}".split())
        _write(path_of(config), {**known, link_id: note})
    return True


def redo(config: Config, link_id: str) -> bool:
    """Take a link out of the file; the next ingest lets it join again.

    Returns
    -------
    bool
        False where the file did not have it.

    Raises
    ------
    DataError
        When a line of the file is no link.
    """
    with _alone(config):
        known = undone_in_file(config)
        if known.pop(link_id, None) is None:
            return False
        _write(path_of(config), known)
    return True


def path_of(config: Config) -> Path:
    """Return the file in which undone links are kept."""
    return config.state / FILE


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Keep other processes from changing the file meanwhile."""
    config.state.mkdir(parents=True, exist_ok=True)
    with (config.state / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, links: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{link_id}  # {note}".rstrip(" #") + "\n" for link_id, note in links.items()]
    durable_files.replace_file(path, (_HEADER + "".join(lines)).encode("utf-8"))
