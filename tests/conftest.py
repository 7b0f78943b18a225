"""What every test stands on: no settings from the outside, and steady property tests."""

import os

import pytest
from hypothesis import settings

# A busy machine is slow now and then; that is no reason for a property test to fail.
settings.register_profile("omnibasket", deadline=None, print_blob=True)
settings.load_profile("omnibasket")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own OMNIBASKET_… variables."""
    for name in list(os.environ):
        if name.startswith("OMNIBASKET_"):
            monkeypatch.delenv(name)
