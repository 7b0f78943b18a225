"""A workspace's artefacts: which there are, and which one is current.

A version is written beside the others, flushed and checked, and only then made current, by one
atomic replace; whatever goes wrong before leaves the old one current. Called by training, the
service and the command line.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Final

from recsys.config import Config
from recsys.errors import ArtefactError
from recsys.persistence.artefact import Array, Artefact, Column, Manifest, flush, load, write

FOLDER: Final = "artefacts"
CURRENT: Final = "current"

_UNFINISHED: Final = ".unfinished-"
_LOCK: Final = ".lock"


def folder(config: Config) -> Path:
    """Return the folder of all versions."""
    return config.state / FOLDER


def pointer(config: Config) -> Path:
    """Return the file that names the current version; it is replaced when another one is."""
    return folder(config) / CURRENT


def versions(config: Config) -> list[str]:
    """Return the names of all versions, oldest first."""
    base = folder(config)
    if not base.is_dir():
        return []
    return sorted(path.name for path in base.iterdir() if _is_version(path))


def current(config: Config) -> Path:
    """Return the folder of the current version.

    Raises
    ------
    ArtefactError
        When there is none yet, or it is gone.
    """
    try:
        name = pointer(config).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ArtefactError(
            f"{folder(config)}: there is no artefact yet. Run `omnibasket train` first."
        ) from None
    found = folder(config) / name
    if not name or not _is_version(found):
        raise ArtefactError(
            f"{pointer(config)}: names the version `{name}`, which is not there. Run "
            "`omnibasket train` to make a new one."
        )
    return found


def publish(
    config: Config,
    arrays: Mapping[str, Array],
    manifest: Manifest,
    tables: Mapping[str, Mapping[str, Column]] | None = None,
    *,
    check: Callable[[Artefact], object] | None = None,
) -> Path:
    """Write a version and make it current.

    Parameters
    ----------
    config : Config
    arrays, manifest, tables
        See ``artefact.write``.
    check : callable, optional
        Gets the loaded artefact before it is made current; what it raises stops that.

    Returns
    -------
    Path
        The version's folder, named by when it was created and from what.

    Raises
    ------
    ArtefactError
        When it could not be written or does not read back. The old one stays current.
    """
    base = folder(config)
    created = manifest.created.astimezone(UTC)
    data = hashlib.sha256(manifest.fingerprint.encode()).hexdigest()[:8]
    name = f"{created:%Y%m%dT%H%M%SZ}-{data}"
    with _locked(base):
        _clear(base)
        beside = base / f"{_UNFINISHED}{name}"
        try:
            write(beside, arrays, manifest, tables)
            found = load(beside)
            if check is not None:
                check(found)
            final = _free(base / name)
            beside.rename(final)
            flush(base)
            _point(base, final.name)
        except OSError as error:
            raise ArtefactError(
                f"{base}: the artefact could not be written: {error}. The one before stays current."
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return final


def promote(config: Config, version: str) -> Path:
    """Make an existing version current, once it has been checked.

    Raises
    ------
    ArtefactError
        When there is no such version, or it is damaged. The old one stays current.
    """
    base = folder(config)
    known = versions(config)
    if version not in known:
        raise ArtefactError(
            f"{base}: there is no version `{version}`. There are: {', '.join(known) or 'none'}."
        )
    with _locked(base):
        load(base / version)
        _point(base, version)
    return base / version


def prune(config: Config, keep: int) -> list[str]:
    """Remove all but the newest ``keep`` versions; the current one always stays.

    Returns
    -------
    list of str
        Names of what was removed, oldest first.
    """
    base = folder(config)
    if not base.is_dir():
        return []
    with _locked(base):
        try:
            staying = {current(config).name}
        except ArtefactError:
            staying = set()
        removed = [name for name in versions(config)[: -keep or None] if name not in staying]
        for name in removed:
            # Out of sight first: a version is there as a whole or not at all.
            gone = (base / name).rename(base / f"{_UNFINISHED}{name}")
            shutil.rmtree(gone)
    return removed


def _is_version(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _clear(base: Path) -> None:
    """Remove what a run that was killed left behind."""
    for left in base.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _free(path: Path) -> Path:
    """The path, or the first numbered one that is not taken."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number:03}")
    return free


def _point(base: Path, name: str) -> None:
    beside = base / f"{_UNFINISHED}{CURRENT}"
    with beside.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(base / CURRENT)
    flush(base)


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process."""
    base.mkdir(parents=True, exist_ok=True)
    with (base / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
