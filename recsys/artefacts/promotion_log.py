"""Who made which version current, when and why: a log that is only ever added to.

A line of JSON a change comes in and is on disk before the call returns; out come the changes in
their order, and the versions that a rollback may go back to. Called by ``registry``.
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
    """By training, by hand, or back to the one before."""
    before: str | None = field(name="from")
    """The version that was current; null: there was none."""
    version: str = field(name="to")
    """The version that is current since."""
    reason: str = ""
    """Why, in the words of who did it."""
    forced: bool = False
    """It was made current although the gate refused it."""
    refusals: list[str] = field(default_factory=list)
    """What the gate said when it was forced."""


def read(folder: Path) -> list[Promotion]:
    """Read the log of a folder of versions, oldest first; empty where there is none.

    A line that was cut short by a power cut is left out: what it told did not end.
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
    """Return the way on which the current version was reached, itself last.

    A rollback leaves the way: what was rolled back from is not on it any more, so that the next
    rollback goes further back and not forth again.

    Parameters
    ----------
    log : sequence of Promotion
        Oldest first.
    current : str or None
        The current version, which the log may not know.
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
