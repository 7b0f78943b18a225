"""An artefact: a folder of ``.npy`` arrays, and a manifest with their checksums.

In: arrays, tables and a manifest. Out: a folder that any process can map into memory without
running code from it. ``registry`` writes and publishes artefacts; the service and notebooks load
them.
"""

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from recsys import durable_files
from recsys.artefacts import array_files
from recsys.datasets import TextArray
from recsys.errors import ArtefactError
from recsys.messages import failure, unreadable

#: Incremented when readers of the previous format cannot read the new one.
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"

Array = npt.NDArray[Any]
Column = Array | Sequence[str | None]

_NAME: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LIBRARIES: Final = ("numpy", "scipy", "implicit", "duckdb", "ibis-framework", "pyarrow")
_CHUNK: Final = 1 << 20


class File(Struct, frozen=True):
    """The manifest's entry for one array."""

    sha256: str
    bytes: int
    dtype: str
    shape: list[int]


class Manifest(Struct, frozen=True, kw_only=True):
    """The origin and content of an artefact.

    ``write`` fills in ``files``, ``digest``, ``libraries`` and ``format_version``.
    """

    created: datetime
    """Time of creation, set by the caller, UTC."""
    as_of: datetime
    """End of the training data, exclusive, UTC."""
    fingerprint: str
    """Version of the history used for training."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the training; ``models`` holds each model's section."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Results of the evaluation."""
    details: dict[str, Any] = field(default_factory=dict)
    """Other small values, for example the currency."""
    format_version: int = FORMAT
    libraries: dict[str, str] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    digest: str = ""
    """SHA-256 over ``files``: equal for artefacts with the same arrays."""


@dataclass(frozen=True)
class Artefact:
    """A loaded artefact.

    Attributes
    ----------
    folder : Path
        Its name is the version.
    manifest : Manifest
    arrays : mapping of str to ndarray
        Memory-mapped, read-only.
    """

    folder: Path
    manifest: Manifest
    arrays: Mapping[str, Array]

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.folder.name

    def array(self, name: str) -> Array:
        """Return one array.

        Parameters
        ----------
        name : str
            One of ``manifest.files``.

        Returns
        -------
        ndarray
            Read-only.

        Raises
        ------
        ArtefactError
            When there is none of that name.
        """
        if name not in self.arrays:
            raise ArtefactError(f"{self.folder}: has no array `{name}`. {_AGAIN}")
        return self.arrays[name]

    def part(self, prefix: str) -> dict[str, Array]:
        """Return the arrays whose names begin with ``prefix.``, by the rest of the name.

        Parameters
        ----------
        prefix : str
            Without the trailing dot.

        Returns
        -------
        dict of str to ndarray
            Empty where there are none.
        """
        start = f"{prefix}."
        return {
            name.removeprefix(start): array
            for name, array in self.arrays.items()
            if name.startswith(start)
        }

    def texts(self, name: str) -> TextArray:
        """Return a text column of a table.

        Parameters
        ----------
        name : str
            ``<table>.<column>``.

        Returns
        -------
        TextArray

        Raises
        ------
        ArtefactError
            When there is none of that name.
        """
        return TextArray(self.array(f"{name}.offsets"), self.array(f"{name}.utf8"))

    def table(self, name: str) -> dict[str, Array | TextArray]:
        """Return the columns of a table; empty if there is no such table.

        Parameters
        ----------
        name : str
            Name of the table, as passed to ``write``.

        Returns
        -------
        dict
            Column → ndarray, or TextArray for a column of texts.
        """
        part = self.part(name)
        columns: dict[str, Array | TextArray] = {}
        for column, array in part.items():
            base, _, kind = column.rpartition(".")
            if not base:
                columns[column] = array
            elif kind == "offsets":
                columns[base] = self.texts(f"{name}.{base}")
        return columns


_AGAIN: Final = "Run `omnibasket train` to make a new artefact."


def write(
    folder: Path,
    arrays: Mapping[str, Array],
    manifest: Manifest,
    tables: Mapping[str, Mapping[str, Column]] | None = None,
) -> Manifest:
    """Write an artefact and flush it to disk.

    Parameters
    ----------
    folder : Path
        Created here; must not exist.
    arrays : mapping of str to ndarray
        Names consist of lower-case letters, digits and ``_``, with dots between parts.
    manifest : Manifest
    tables : mapping of str to mapping, optional
        Table → column → array, or sequence of texts. All columns of a table have one length.

    Returns
    -------
    Manifest
        As written.

    Raises
    ------
    ValueError
        When a name is not allowed, a column has another length, or an array holds objects.
    """
    everything = dict(arrays)
    for table, columns in (tables or {}).items():
        everything |= _flat(table, columns)
    for name, array in everything.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"array `{name}`: use small letters, digits, `_`, and dots between.")
        if array.dtype.hasobject:
            raise ValueError(f"array `{name}` holds objects: only numbers and bytes are allowed.")
    folder.mkdir(parents=True)
    files = {}
    for name, array in everything.items():
        path = folder / f"{name}.npy"
        with path.open("wb") as file:
            # C order even for one column, so that it can be mapped directly.
            np.save(file, np.asarray(array, order="C"), allow_pickle=False)
        durable_files.sync(path)
        digest, size = _digest(path)
        files[name] = File(digest, size, _kind(array.dtype), list(array.shape))
    manifest = msgspec.structs.replace(
        manifest,
        format_version=FORMAT,
        libraries=_libraries(),
        files=files,
        digest=_digest_of(files),
    )
    encoded = msgspec.json.encode(manifest, order="sorted", enc_hook=_plain)
    text = msgspec.json.format(encoded, indent=1)
    durable_files.write_file(folder / MANIFEST, text + b"\n")
    durable_files.sync(folder)
    return manifest


def load(folder: Path, verify: bool = True, hold: Path | None = None) -> Artefact:
    """Map an artefact into memory.

    Parameters
    ----------
    folder : Path
    verify : bool
        Check the contents of each file; otherwise only its size, type and shape.
    hold : Path, optional
        Folder for copies: the loaded arrays then stay valid if the files change, as a long-running
        process requires.

    Returns
    -------
    Artefact

    Raises
    ------
    ArtefactError
        When a file is missing or damaged, or has another format. The message names the file.
    """
    manifest = read_manifest(folder)
    arrays = {}
    for name, file in manifest.files.items():
        path = folder / f"{name}.npy"
        try:
            if path.stat().st_size != file.bytes:
                raise ArtefactError(
                    f"{path}: damaged: {path.stat().st_size} bytes instead of {file.bytes}. "
                    f"{_AGAIN}"
                )
            array = _loaded(path, file, verify, hold)
            if array is None:
                raise ArtefactError(f"{path}: damaged: its contents have changed. {_AGAIN}")
        except FileNotFoundError:
            raise ArtefactError(f"{path}: missing. {_AGAIN}") from None
        except (OSError, ValueError, EOFError) as error:
            raise ArtefactError(f"{path}: cannot be read: {error}. {_AGAIN}") from None
        if list(array.shape) != file.shape or _kind(array.dtype) != file.dtype:
            raise ArtefactError(
                f"{path}: holds {_kind(array.dtype)} {list(array.shape)}, the manifest says "
                f"{file.dtype} {file.shape}. {_AGAIN}"
            )
        arrays[name] = array
    return Artefact(folder, manifest, arrays)


def read_manifest(folder: Path) -> Manifest:
    """Read an artefact's manifest, without its arrays.

    Parameters
    ----------
    folder : Path
        Folder of the artefact.

    Returns
    -------
    Manifest

    Raises
    ------
    ArtefactError
        When it is missing, damaged or of another format.
    """
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise ArtefactError(f"{path}: missing, so this is not an artefact. {_AGAIN}") from None
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read: {failure(error, named=False)}") from None
    try:
        # Check first: another format may have other fields.
        version = msgspec.json.decode(text, type=dict[str, Any]).get("format_version")
        if version != FORMAT:
            raise ArtefactError(f"{path}: format {version}, this version reads {FORMAT}. {_AGAIN}")
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise ArtefactError(f"{path}: damaged: {unreadable(error, text)}. {_AGAIN}") from None
    for name in manifest.files:
        if not _NAME.fullmatch(name):
            raise ArtefactError(f"{path}: damaged: `{name}` is not a valid array name. {_AGAIN}")
    if manifest.digest and manifest.digest != _digest_of(manifest.files):
        raise ArtefactError(f"{path}: damaged: its digest does not match its files. {_AGAIN}")
    return manifest


def _flat(table: str, columns: Mapping[str, Column]) -> dict[str, Array]:
    """Return the columns of a table as arrays, with packed texts."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"table `{table}`: columns of different lengths: {lengths}.")
    arrays: dict[str, Array] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            arrays[f"{table}.{name}"] = column
        else:
            texts = column if isinstance(column, TextArray) else TextArray.of(column)
            arrays[f"{table}.{name}.offsets"] = texts.offsets
            arrays[f"{table}.{name}.utf8"] = texts.utf8
    return arrays


def _loaded(path: Path, file: File, verify: bool, hold: Path | None) -> Array | None:
    """Return an array; None if its contents do not match the manifest."""
    if hold is not None:
        return array_files.hold_array(path, file.sha256, hold)
    if verify and _digest(path)[0] != file.sha256:
        return None
    return _mapped(path)


def _mapped(path: Path) -> Array:
    """Map an array as a plain ndarray, because ``numpy.memmap`` is slow to index."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _digest_of(files: Mapping[str, File]) -> str:
    return hashlib.sha256(msgspec.json.encode(files, order="sorted")).hexdigest()


def _plain(value: object) -> object:
    """Convert numpy numbers for JSON."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a manifest cannot hold a {type(value).__name__}: {value!r}.")


def _kind(dtype: np.dtype[Any]) -> str:
    return str(dtype.descr) if dtype.names else dtype.str


def _libraries() -> dict[str, str]:
    package_versions = {"python": platform.python_version()}
    for name in ("omnibasket", *_LIBRARIES):
        try:
            package_versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return package_versions
