"""One thing that must be so, and what was seen. Made by ``checks`` and ``answer_checks``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that must be so."""

    what: str
    passed: bool
    seen: str
