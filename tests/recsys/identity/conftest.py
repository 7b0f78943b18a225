"""An engine, and a function that resolves what was seen."""

import pytest
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings
from recsys.identity.resolution import Resolution, resolve
from recsys.query_engine import connect
from tests.recsys.identity.observing import Seen

DEFAULTS = IdentitySettings()


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.fixture
def find(con: Backend):
    def run(seen: Seen, settings: IdentitySettings = DEFAULTS, **more: object) -> Resolution:
        return resolve(seen.table(), settings, con, **more)

    return run
