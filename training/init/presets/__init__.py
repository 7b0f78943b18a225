"""Exports of well-known programs, recognised by their headers."""

from dataclasses import dataclass, field
from typing import Any

from recsys.config import Column
from training.init.exports import Export


@dataclass(frozen=True)
class Preset:
    """The mapping of an export whose program is known."""

    name: str
    kind: str
    columns: dict[str, str | Column] = field(default_factory=dict)
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    checks: tuple[str, ...] = ()


def recognise(_export: Export) -> Preset | None:
    """Return the preset that an export fits; None where its program is not known."""
    return None
