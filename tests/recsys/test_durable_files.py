"""A file is replaced as a whole, or stays as it was."""

import os
from pathlib import Path

import pytest

from recsys import durable_files


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "current"
    for data in (b"one\n", b"two\n"):
        durable_files.replace_file(path, data, mode=0o600)
        assert path.read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["current"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "current"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        durable_files.replace_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["current"]


def test_contents_are_on_disk_before_the_name_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut may leave an empty file under the name of a whole one."""
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("sync"), fsync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (done.append("replace"), replace(self, to))[1]
    )
    durable_files.replace_file(tmp_path / "current", b"one")
    assert done == ["sync", "replace", "sync"]
