"""Manages a workspace's artefacts: the versions, and which one is current.

A version is written to a temporary folder, flushed, checked and renamed. It becomes current by an
atomic replacement of the pointer, which ``promotion_log`` then records. Any earlier failure leaves
the old version current. Called by training, the service and the command line.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from recsys import durable_files
from recsys.artefacts import array_files, promotion_log
from recsys.artefacts.artefact_format import (
    Array,
    Artefact,
    Column,
    Manifest,
    load,
    read_manifest,
    write,
)
from recsys.artefacts.promotion_log import PROMOTED, ROLLED_BACK, Promotion
from recsys.config import Config
from recsys.errors import ArtefactError
from recsys.messages import failure

FOLDER: Final = "artefacts"
CURRENT: Final = "current"

_UNFINISHED: Final = ".unfinished-"
_REMOVED: Final = ".removed-"
_HELD: Final = ".held"
#: One lock for writing a version, another for changes to existing ones, so that a rollback does
#: not wait for a version being written.
_WRITING: Final = ".writing"
_LOCK: Final = ".lock"


def folder(config: Config) -> Path:
    """Return the folder of all versions."""
    return config.state / FOLDER


def pointer(config: Config) -> Path:
    """Return the file that names the current version."""
    return folder(config) / CURRENT


def held(config: Config) -> Path:
    """Return the folder of copies that the service maps; see ``artefact_format.load``."""
    return folder(config) / _HELD


def release(config: Config, manifest: Manifest) -> None:
    """Remove the mapped copies of all other versions."""
    array_files.release(held(config), {file.sha256 for file in manifest.files.values()})


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
        When there is none yet, or it is missing.
    """
    try:
        name = pointer(config).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ArtefactError(
            f"{folder(config)}: there is no artefact yet. Run `omnibasket train` first."
        ) from None
    version_folder = folder(config) / name
    if not name or not _is_version(version_folder):
        raise ArtefactError(
            f"{pointer(config)}: names the version `{name}`, which is missing. Run "
            "`omnibasket train` to make a new one."
        )
    return version_folder


def current_name(config: Config) -> str | None:
    """Return the name of the current version, or None."""
    try:
        return current(config).name
    except ArtefactError:
        return None


def log(config: Config) -> list[Promotion]:
    """Return every change of the current version, oldest first."""
    return promotion_log.read(folder(config))


def rollback_target(config: Config) -> str | None:
    """Return the version that ``rollback`` would make current, or None."""
    now, known = current_name(config), set(versions(config))
    way = promotion_log.trail(log(config), now)
    return next((name for name in reversed(way[:-1]) if name in known and name != now), None)


def find(config: Config, version: str) -> Path:
    """Return a version's folder, by its name or a unique prefix of it.

    Raises
    ------
    ArtefactError
        When none or several match; the message lists the versions.
    """
    base, known = folder(config), versions(config)
    if version == CURRENT:
        return current(config)
    fitting = [version] if version in known else [v for v in known if v.startswith(version)]
    if len(fitting) != 1 or not version:
        many = "several versions begin with" if version and fitting else "there is no version"
        shown = ", ".join(fitting or known) or "none"
        raise ArtefactError(f"{base}: {many} `{version}`. There are: {shown}.")
    return base / fitting[0]


def add(
    config: Config,
    arrays: Mapping[str, Array],
    manifest: Manifest,
    tables: Mapping[str, Mapping[str, Column]] | None = None,
    *,
    check: Callable[[Artefact], object] | None = None,
) -> Path:
    """Write a version without making it current.

    Parameters
    ----------
    config : Config
    arrays, manifest, tables
        See ``artefact_format.write``.
    check : callable, optional
        Called with the loaded artefact before it is added; an exception prevents that.

    Returns
    -------
    Path
        The version's folder, named by its time of creation and its data.

    Raises
    ------
    ArtefactError
        When it cannot be written or read back; nothing of it remains.
    """
    base = folder(config)
    created = manifest.created.astimezone(UTC)
    data = hashlib.sha256(manifest.fingerprint.encode()).hexdigest()[:8]
    name = f"{created:%Y%m%dT%H%M%SZ}-{data}"
    with _locked(base, _WRITING):
        _clear(base, _UNFINISHED)
        beside = base / f"{_UNFINISHED}{name}"
        try:
            write(beside, arrays, manifest, tables)
            artefact = load(beside)
            if check is not None:
                check(artefact)
            with _locked(base):
                final = _free(base / name)
                beside.rename(final)
                durable_files.sync(base)
        except OSError as error:
            raise ArtefactError(
                f"{base}: the artefact could not be written: {failure(error)} The one before stays "
                "current."
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return final


#: Called with a version and the current one; raises, or returns the overridden refusals.
Allow = Callable[[Manifest, Manifest | None], list[str]]


def promote(
    config: Config,
    version: str,
    *,
    at: datetime,
    by: str = "",
    reason: str = "",
    action: Literal["published", "promoted"] = PROMOTED,
    allow: Allow | None = None,
) -> Path:
    """Check an existing version, make it current, and log it.

    Parameters
    ----------
    config : Config
    version : str
        As in ``find``. Nothing changes if it is current already.
    at : datetime
        Now, UTC.
    by, reason : str
        Who, and why; for the log.
    action : str
        For the log.
    allow : callable, optional
        The gate, called while no other process can change the current version. An unreadable
        current version does not prevent the promotion.

    Raises
    ------
    ArtefactError
        When there is no such version, or it is damaged. The old one stays current.
    """
    base = folder(config)
    with _locked(base):
        artefact = load(find(config, version))
        before = current_name(config)
        refusals = []
        if artefact.version != before:
            if allow is not None:
                refusals = allow(artefact.manifest, _manifest(base, before))
            _change(
                base,
                Promotion(
                    at=at,
                    by=by,
                    action=action,
                    before=before,
                    version=artefact.version,
                    reason=reason,
                    forced=bool(refusals),
                    refusals=refusals,
                ),
            )
    return artefact.folder


def rollback(config: Config, *, at: datetime, by: str = "", reason: str = "") -> Path:
    """Make the previous version current; repeated calls go further back.

    Bypasses the gate. The version left stays and can be promoted again, but no later rollback
    returns to it.

    Raises
    ------
    ArtefactError
        When no version was current before, or it is damaged. The old one stays current.
    """
    base = folder(config)
    with _locked(base):
        target = rollback_target(config)
        if target is None:
            raise ArtefactError(
                f"{base}: there is nothing to roll back to: no version that was current before "
                "is left. `omnibasket models list` shows the others, `omnibasket models promote` "
                "makes one current."
            )
        load(base / target)
        before = current_name(config)
        _change(
            base,
            Promotion(
                at=at,
                by=by,
                action=ROLLED_BACK,
                before=before,
                version=target,
                reason=reason,
            ),
        )
    return base / target


def prune(config: Config, keep: int, since: datetime | None = None) -> list[str]:
    """Remove old versions.

    The current version and the target of a rollback always stay.

    Parameters
    ----------
    config : Config
    keep : int
        Number of newest versions to keep.
    since : datetime, optional
        Versions created at or after it stay too, UTC.

    Returns
    -------
    list of str
        Names of the removed versions, oldest first.
    """
    base = folder(config)
    if not base.is_dir():
        return []
    with _locked(base):
        _clear(base, _REMOVED)
        staying = {current_name(config), rollback_target(config)}
        removed = [
            name
            for name in versions(config)[: -keep or None]
            if name not in staying and not (since and _made(base, name, since))
        ]
        for name in removed:
            # Rename first, so that a version is either complete or absent.
            gone = (base / name).rename(base / f"{_REMOVED}{name}")
            shutil.rmtree(gone)
    return removed


def _manifest(base: Path, name: str | None) -> Manifest | None:
    try:
        return None if name is None else read_manifest(base / name)
    except ArtefactError:
        return None


def _made(base: Path, name: str, since: datetime) -> bool:
    manifest = _manifest(base, name)
    return manifest is not None and manifest.created >= since


def _change(base: Path, promotion: Promotion) -> None:
    """Replace the pointer, then log it, so that the log has only completed changes."""
    _point(base, promotion.version)
    promotion_log.append(base, promotion)
    durable_files.sync(base)


def _is_version(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _clear(base: Path, prefix: str) -> None:
    """Remove leftovers of killed runs."""
    for left in base.glob(f"{prefix}*"):
        shutil.rmtree(left)


def _free(path: Path) -> Path:
    """Return the path, or the first numbered one that is free."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number:03}")
    return free


def _point(base: Path, name: str) -> None:
    """Replace the pointer; the caller holds the lock, so temporary files are leftovers."""
    for left in base.glob(f".{CURRENT}.*"):
        left.unlink()
    durable_files.replace_file(base / CURRENT, f"{name}\n".encode())


@contextmanager
def _locked(base: Path, name: str = _LOCK) -> Iterator[None]:
    """Hold an exclusive lock, which ends with the process."""
    base.mkdir(parents=True, exist_ok=True)
    with (base / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
