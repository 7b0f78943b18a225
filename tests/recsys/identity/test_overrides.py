"""Links undone by hand are remembered, with when and why, until they are redone."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from recsys.config.toml_file import Config, IdentitySettings
from recsys.errors import DataError
from recsys.identity.overrides import path_of, redo, undo, undone_in_file, undone_links

ONE, TWO = "l0123456789abcdef", "lfedcba9876543210"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return msgspec.structs.replace(Config(), folder=tmp_path)


def test_nothing_is_undone_at_first(config: Config) -> None:
    assert undone_links(config) == []


def test_a_link_is_undone_once_and_redone(config: Config) -> None:
    assert undo(config, ONE, NOON, "shared\ntablet # 2") is True
    assert undo(config, ONE, NOON) is False
    assert undo(config, TWO, NOON) is True
    assert undone_in_file(config) == {
        ONE: "2024-05-01T12:00:00Z shared tablet # 2",
        TWO: "2024-05-01T12:00:00Z",
    }
    assert undone_links(config) == [ONE, TWO]
    assert redo(config, ONE) is True
    assert redo(config, ONE) is False
    assert undone_links(config) == [TWO]


def test_settings_and_file_count_together(config: Config) -> None:
    both = msgspec.structs.replace(config, identity=IdentitySettings(undone=[TWO, ONE]))
    undo(both, ONE, NOON)
    assert undone_links(both) == [ONE, TWO]


def test_a_file_written_by_hand_is_read(config: Config) -> None:
    path = path_of(config)
    path.parent.mkdir()
    path.write_text(f"\ufeff# by hand\n\n  {ONE}\n{TWO}#why\n", encoding="utf-8")
    assert undone_in_file(config) == {ONE: "", TWO: "why"}
    redo(config, TWO)
    assert undone_links(config) == [ONE]


def test_a_wrong_line_is_named(config: Config) -> None:
    path_of(config).parent.mkdir()
    path_of(config).write_text(f"{ONE}\nlong\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"undone\.txt, line 2: `long` is no link"):
        undone_links(config)


@pytest.mark.parametrize("text", ["", "l123", "c0123456789abcdef", ONE.upper(), ONE + "0"])
def test_only_links_can_be_undone(config: Config, text: str) -> None:
    with pytest.raises(DataError, match="is no link"):
        undo(config, text, NOON)
    assert not path_of(config).exists()
