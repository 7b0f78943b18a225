"""One thing that must be so, and what was seen; and the error where it is not so.

Made by the checks of the tour and of the week, and judged by their commands.
"""

from dataclasses import dataclass

import click

from recsys.errors import RecsysError


class CheckError(RecsysError):
    """The service, or the history that it answers from, is not what it should be."""


@dataclass(frozen=True)
class Check:
    """One thing that must be so."""

    what: str
    passed: bool
    seen: str


def judge(found: list[Check]) -> None:
    """Say that all is right.

    Raises
    ------
    CheckError
        Naming what is wrong.
    """
    wrong = [f"  {check.what}: {check.seen}" for check in found if not check.passed]
    if wrong:
        listed = "\n".join(wrong)
        raise CheckError(f"{len(wrong)} of {len(found)} checks failed:\n{listed}")
    click.echo(f"All {len(found)} checks passed.", err=True)
