"""Keeps an artefact's arrays readable for a process's lifetime, even if its files change.

Truncating a mapped file crashes its readers. So small arrays are copied into memory, and large ones
are mapped from a private copy named by its checksum; all workers map the same copy. Called by
``artefact_format.load`` for the service.
"""

import contextlib
import hashlib
import io
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Larger files are mapped, smaller ones copied into memory. Bytes.
_SMALL: Final = 1 << 20
_CHUNK: Final = 1 << 20
_COPYING: Final = ".copying-"


def hold_array(path: Path, sha256: str, folder: Path) -> Array | None:
    """Read an array that stays valid if its file changes.

    Parameters
    ----------
    path : Path
        The artefact's file.
    sha256 : str
        Checksum of its contents, from the manifest.
    folder : Path
        Folder for copies, created if missing. If that fails, large files are read into memory.

    Returns
    -------
    ndarray or None
        Read-only; None if the contents differ from the checksum.

    Raises
    ------
    OSError, ValueError
        When the file cannot be read.
    """
    if path.stat().st_size <= _SMALL:
        return _in_memory(path, sha256)
    copy = folder / f"{sha256}.npy"
    try:
        if not (copy.exists() and digest_of(copy) == sha256):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _copied(path, sha256, copy):
                return None
        elif digest_of(path) != sha256:
            return None
        return np.asarray(np.load(copy, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        if not path.exists():
            raise
        return _in_memory(path, sha256)  # the copy was removed meanwhile
    except OSError:
        return _in_memory(path, sha256)  # no space for a copy, or the folder is not writable


def release(folder: Path, kept: Collection[str]) -> None:
    """Remove copies except those in ``kept``; processes that have mapped a copy keep it."""
    for copy in folder.glob("*.npy"):
        if copy.stem not in kept:
            with contextlib.suppress(OSError):
                copy.unlink()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _in_memory(path: Path, sha256: str) -> Array | None:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    array: Array = np.load(io.BytesIO(content), allow_pickle=False)
    array.setflags(write=False)
    return array


def _copied(path: Path, sha256: str, copy: Path) -> bool:
    """Copy a file, and move the copy into place if its contents are correct."""
    beside = copy.with_name(f"{_COPYING}{secrets.token_hex(6)}")
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source, beside.open("xb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != sha256:
            return False
        beside.chmod(0o400)
        beside.replace(copy)
    finally:
        beside.unlink(missing_ok=True)
    return True
