"""Fixtures of exports, read as ``init`` reads them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training.init import overrides
from training.init.exports import look
from training.init.mapping import kind_of, propose
from training.init.proposal import Proposal

Propose = Callable[..., Proposal]


@pytest.fixture
def proposed(tmp_path: Path) -> Propose:
    """Write a table and return its proposal, with settings such as ``decimal=,``."""

    def make(text: str, *said: str, currency: str = "EUR", day_first: bool = True) -> Proposal:
        path = tmp_path / "export.csv"
        path.write_text(text, encoding="utf-8")
        found = look(path)
        kind = kind_of(found)
        assert kind is not None
        answers = overrides.parse([f"export.{one}" for one in said])
        proposal = propose(found, kind, currency_code=currency, day_first=day_first, said=answers)
        overrides.apply(proposal, answers)
        return proposal

    return make
