"""Leases on versions of the history: no ingest deletes a version that is being read.

The folder of a version comes in; a file descriptor that holds it goes out. A reader takes a shared
lock on a file in the folder; deletion needs an exclusive one. The system releases the locks of a
process that dies, so no version is held longer than it is read. Called by ``versions``.
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
    """Create the lease file, so that readers without write permission can hold the version."""
    (folder / LEASE).touch()


def take(folder: Path) -> int | None:
    """Hold a version.

    Parameters
    ----------
    folder : Path
        Folder of the version.

    Returns
    -------
    int or None
        A file descriptor; close it to release the version. None where it cannot be held: the
        version is gone, or it has no lease file and its folder cannot be written.
    """
    path = folder / LEASE
    try:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # written by a release without leases
            descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        return None
    with suppress(OSError):  # a file system without locks, as some mounts are
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    if not path.exists():  # deleted while this waited
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
