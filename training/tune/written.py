"""Writes the settings that were found into a file that a person can read, and takes them over.

What a search found comes in; ``tuned.toml`` comes out, and from it an edited ``omnibasket.toml``
that keeps its comments and its order. Called by ``omnibasket tune``.
"""

import os
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from recsys import durable_files
from recsys.config import parse_config, search_space
from recsys.errors import ConfigError
from recsys.messages import failure
from training.tune.space import Space, Values

NAME: Final = "tuned.toml"
#: Begins every file that is written here; what begins otherwise is not written over.
_FIRST: Final = "# Settings that `omnibasket tune` found"
_WIDTH: Final = 96


def check_writable(path: Path) -> None:
    """Make sure that the file can be written at the end of a long search.

    Raises
    ------
    ConfigError
        When it cannot, or when something else stands there.
    """
    if path.is_dir():
        raise ConfigError(f"--out {path}: that is a folder; name a file in it.")
    if path.exists() and not _beginning(path).startswith(_FIRST):
        raise ConfigError(
            f"--out {path}: there is a file that `omnibasket tune` did not write. Name another."
        )
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".tuned")
    except OSError as error:
        raise ConfigError(
            f"--out {path}: no file can be written there: {failure(error, named=False)} "
            "Name another place."
        ) from None
    os.close(descriptor)
    Path(name).unlink()


def write(path: Path, space: Space, values: Values, comments: list[str]) -> None:
    """Write what differs from the defaults, or from the present settings.

    Parameters
    ----------
    path : Path
    space : Space
    values : dict of str to float
        As found.
    comments : list of str
        Sentences for the top: when, on which windows, how good. Lines that begin with a space
        are laid out already.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    lines = [
        line
        for text in comments
        for line in ([text] if text.startswith(" ") else textwrap.wrap(text, _WIDTH - 2) or [""])
    ]
    document = [_FIRST, *(f"# {line}".rstrip() for line in lines)]
    section = ""
    for name, value in values.items():
        present = space.present[name]
        if value == space.defaults[name] and value == present:
            continue
        parent, _, setting = name.rpartition(".")
        if parent != section:
            document += ["", f"[{parent}]"]
            section = parent
        notes = [space.ranges[name].unit, "as before" if value == present else f"was {present}"]
        document.append(f"{setting} = {value!r}  # {'; '.join(note for note in notes if note)}")
    _replace(path, "\n".join(document) + "\n")


def take_over(found: Path, target: Path) -> list[tuple[str, object, object]]:
    """Put the settings of a file into ``omnibasket.toml``.

    Parameters
    ----------
    found : Path
        As ``write`` wrote it, or edited since.
    target : Path
        The workspace's ``omnibasket.toml``.

    Returns
    -------
    list of (setting, before, now)
        What changed; None is a setting that the file did not have.

    Raises
    ------
    ConfigError
        When a file is missing or broken, or holds what cannot be set. Nothing is changed then.
    """
    wanted = list(_leaves(_read(found)))
    for name, _ in wanted:
        if name.split(".")[0] not in search_space.SECTIONS:
            raise ConfigError(
                f"{found}: `{name}` is none of the settings that are tuned "
                f"({', '.join(search_space.SECTIONS)}). Set it in omnibasket.toml."
            )
    try:
        text = target.read_bytes().decode("utf-8-sig")
        document = tomlkit.parse(text)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be read: {failure(error, named=False)}") from None
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(f"{target}: not valid TOML: {error}.") from None
    changed: list[tuple[str, object, object]] = []
    for name, value in wanted:
        *sections, setting = name.split(".")
        table: Any = document
        for ix, section in enumerate(sections):
            if section not in table:
                table[section] = tomlkit.table(is_super_table=ix + 1 < len(sections))
            table = table[section]
        before = table.get(setting)
        if before != value:
            changed.append((name, _bare(before), value))
            table[setting] = value
    edited = tomlkit.dumps(document)
    parse_config(tomllib.loads(edited), found)
    if changed:
        _replace(target, edited)
    return changed


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file. `omnibasket tune` writes it when it finds better settings."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {failure(error, named=False)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from None


def _leaves(table: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        path = f"{where}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            yield from _leaves(value, path)
        else:
            yield path, value


def _bare(value: Any) -> Any:
    """Return the plain value of what tomlkit holds."""
    return value.unwrap() if hasattr(value, "unwrap") else value


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST)).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"--out {path}: cannot be read: {failure(error, named=False)}") from None


def _replace(path: Path, text: str) -> None:
    """Write beside, then replace: a file is never half written."""
    path = path.resolve()
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        durable_files.replace_file(path, text.encode("utf-8"), mode=mode)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {failure(error, named=False)}") from None
