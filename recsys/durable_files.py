"""Files that are there after a power cut, whole or as they were before.

Bytes come in; they are on disk when a function returns. Called by everything that replaces a file
somebody may be reading: artefacts, the history's pointer, settings that commands write.
"""

import os
import secrets
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's contents, or a folder's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a new file and wait until its contents are on disk; its name is not until ``sync``."""
    first = 0o666 if mode is None else 0o600
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, first)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None:
            os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Replace a file at once: readers see the old contents or the new ones, never half of them.

    Parameters
    ----------
    path : Path
        Its folder must exist; the file need not.
    data : bytes
        The new contents.
    mode : int, optional
        Permissions of the new file, such as ``0o600``; what the system gives by default.

    Raises
    ------
    OSError
        When it cannot be written; the file stays as it was.
    """
    # A name that nobody else writes to: several processes and threads may replace one file.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        write_file(beside, data, mode=mode)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)
