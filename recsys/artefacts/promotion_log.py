"""An append-only log of promotions: who made which version current, when and why.

In: one JSON line per change, flushed to disk before the call returns. Out: the changes in order,
and the versions that a rollback may restore. Called by ``registry``.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct, field

FILE: Final = "promotions.ndjson"

PROMOTED: Final = "promoted"
ROLLED_BACK: Final = "rolled_back"


class Promotion(Struct, frozen=True, kw_only=True):
    """One change of the current version."""

    at: datetime
    """When, UTC."""
    by: str
    """Who."""
    action: Literal["published", "promoted", "rolled_back"]
    """By training, by hand, or by a rollback."""
    before: str | None = field(name="from")
    """The version that was current; null if there was none."""
    version: str = field(name="to")
    """The new current version."""
    reason: str = ""
    """Reason stated by the user."""
    forced: bool = False
    """Promoted although the gate refused it."""
    refusals: list[str] = field(default_factory=list)
    """The gate's refusals if promotion was forced."""


def read(folder: Path) -> list[Promotion]:
    """Read the log of a folder of versions, oldest first; empty where there is none.

    A truncated line, as after a power failure, is left out: its change was not completed.
    """
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    promotions = []
    for line in lines:
        try:
            promotions.append(msgspec.json.decode(line, type=Promotion))
        except msgspec.DecodeError:
            continue
    return promotions


def append(folder: Path, promotion: Promotion) -> None:
    """Add a line and flush it to disk."""
    line = msgspec.json.encode(promotion) + b"\n"
    with (folder / FILE).open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def trail(log: Sequence[Promotion], current: str | None) -> list[str]:
    """Return the versions that led to the current one, which is last.

    A rollback removes the version that it leaves, so that the next rollback goes further back
    instead of forward again.

    Parameters
    ----------
    log : sequence of Promotion
        Oldest first.
    current : str or None
        The current version, which may be missing from the log.
    """
    way: list[str] = []
    for promotion in log:
        if promotion.before is not None and way[-1:] != [promotion.before]:
            way.append(promotion.before)
        if promotion.action == ROLLED_BACK:
            del way[-1:]
            while way and way[-1] != promotion.version:
                del way[-1]
        if way[-1:] != [promotion.version]:
            way.append(promotion.version)
    if current is not None and way[-1:] != [current]:
        way.append(current)
    return way
