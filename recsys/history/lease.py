"""Whoever reads a version of the history holds it, so that no ingest deletes it meanwhile.

Called by ``history``. A reader has a shared lock on a file of the version's folder; who deletes
wants it alone. The system lets go of the locks of a process that dies, so nobody holds a version
for longer than somebody reads it.
"""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

#: The file that is locked.
LEASE: Final = "lease"


def prepare(folder: Path) -> None:
    """Let readers hold a version, where it lies on a medium that they may only read, too."""
    (folder / LEASE).touch()


def take(folder: Path) -> int | None:
    """Hold a version.

    Parameters
    ----------
    folder : Path
        The version's.

    Returns
    -------
    int or None
        A file descriptor; close it to let go. None where nothing can be held: the version is
        gone, or older than this file and nothing may be written beside it.
    """
    path = folder / LEASE
    try:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # written before versions were held
            descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        return None
    with suppress(OSError):  # a file system without locks, as some mounts are
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    if not path.exists():  # it was deleted while this waited
        os.close(descriptor)
        return None
    return descriptor


def delete(folder: Path) -> bool:
    """Delete a version unless somebody holds it.

    Returns
    -------
    bool
        Whether it is gone.
    """
    descriptor = None
    try:
        with suppress(FileNotFoundError):  # nobody can hold it
            descriptor = os.open(folder / LEASE, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        return False
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return True
