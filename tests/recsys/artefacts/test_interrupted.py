"""A process that is killed while it writes versions leaves whole ones, and one of them current."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recsys.artefacts import registry
from recsys.artefacts.artefact_format import Manifest, load
from recsys.config.toml_file import Config

ROOT = Path(__file__).parents[3]
#: Writes versions of many files and makes them current, as fast as it can.
CODE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from recsys.config import Config
from recsys.artefacts import registry
from recsys.artefacts.artefact_format import Manifest

config = Config(folder=Path(sys.argv[1]))
arrays = {f"x{n}": np.full(20_000, n) for n in range(12)}
while True:
    now = datetime.now(UTC)
    added = registry.add(config, arrays, Manifest(created=now, as_of=now, fingerprint="h"))
    registry.promote(config, added.name, at=now)
    registry.prune(config, 2)
    print(added.name, flush=True)
"""


def test_killed_at_any_moment(tmp_path):
    config, chosen = Config(folder=tmp_path), random.Random(3)
    seen_unfinished = 0
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", CODE, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # one version is there
            time.sleep(chosen.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        seen_unfinished += bool(list(registry.folder(config).glob(".unfinished*")))
        current = registry.current(config)
        for name in registry.versions(config):
            found = load(registry.folder(config) / name)  # whole, to the last byte
            assert len(found.arrays) == 12
        assert registry.log(config)
        assert registry.rollback_target(config) != current.name
    assert seen_unfinished  # some were killed while they wrote
    now = datetime.now(UTC)
    manifest = Manifest(created=now, as_of=now, fingerprint="after")
    after = registry.add(config, {"x": np.zeros(1)}, manifest)
    registry.promote(config, after.name, at=now)
    registry.prune(config, 1)
    hidden = {path.name for path in registry.folder(config).glob(".*")}
    assert hidden <= {".lock", ".writing"}
    assert registry.current(config) == after
