"""docs/identity.md tells of every reason, type, setting and command."""

from pathlib import Path

import click
import pytest

from recsys.config.toml_file import IdentitySettings
from recsys.identity.blocking import RULE
from recsys.identity.links import ANCHORS, CROWDED, EVIDENCE
from recsys.identity.resolution import CHANCE, LIMIT, UNDONE
from recsys.identity.shared_identifiers import DEGREE
from training.identity import command

PAGE = (Path(__file__).parents[3] / "docs" / "identity.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", [RULE, DEGREE, CHANCE, LIMIT, CROWDED, UNDONE])
def test_every_reason_is_explained(reason: str) -> None:
    assert f"| `{reason}" in PAGE


@pytest.mark.parametrize("name", [*ANCHORS, *IdentitySettings.__struct_fields__])
def test_every_type_and_setting_is_named(name: str) -> None:
    assert f"`{name}" in PAGE or f"identity.{name}" in PAGE


@pytest.mark.parametrize("name", EVIDENCE)
def test_every_kind_of_evidence_is_explained(name: str) -> None:
    assert f"**{name}**" in PAGE


def test_every_command_is_shown() -> None:
    assert isinstance(command, click.Group)
    assert all(f"omnibasket identity {name}" in PAGE for name in command.commands)
