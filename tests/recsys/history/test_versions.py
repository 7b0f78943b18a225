"""A version of the history stays as long as somebody reads it, and no longer."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.toml_file import Config, load_config
from recsys.history import lease
from recsys.history.versions import FOLDER, History, publish_version
from recsys.schema import TABLES

READER = """
import sys, time
from pathlib import Path
from recsys.config import load_config
from recsys.history.versions import History
held = History.open(load_config(Path(sys.argv[1])))
print(held.version, flush=True)
time.sleep(60)
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "omnibasket.toml").write_text('[workspace]\ncurrency = "EUR"\n')
    return load_config(tmp_path)


def write(config: Config, version: str) -> None:
    """Write a version as an ingest does, and make it current."""
    folder = config.state / FOLDER / version
    folder.mkdir(parents=True)
    for name, schema in TABLES.items():
        pq.write_table(schema.empty_table(), folder / f"{name}.parquet")
    pq.write_table(
        pa.Table.from_pylist([{"item_id": version}], TABLES["products"]),
        folder / "products.parquet",
    )
    publish_version(config, folder)


def versions(config: Config) -> list[str]:
    return sorted(path.name for path in (config.state / FOLDER).iterdir() if path.is_dir())


def test_the_version_before_the_last_is_deleted_where_nobody_reads_it(config: Config) -> None:
    for version in ("v1", "v2", "v3"):
        write(config, version)
    assert versions(config) == ["v2", "v3"]


def test_what_is_read_stays_until_it_is_no_longer_read(config: Config) -> None:
    write(config, "v1")
    reader = History.open(config)
    for version in ("v2", "v3", "v4"):
        write(config, version)
    assert versions(config) == ["v1", "v3", "v4"]
    assert reader.table("products")["item_id"].to_pylist() == ["v1"]
    con = reader.connect()
    assert con.to_pyarrow(con.table("products"))["item_id"].to_pylist() == ["v1"]
    con.disconnect()
    assert History.open(config).version == "v4"
    del reader
    gc.collect()
    write(config, "v5")
    assert versions(config) == ["v4", "v5"]


def test_a_reader_in_another_process_counts_until_it_dies(config: Config) -> None:
    write(config, "v1")
    command = [sys.executable, "-c", READER, str(config.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "v1\n"
        for version in ("v2", "v3"):
            write(config, version)
        assert versions(config) == ["v1", "v2", "v3"]
        os.kill(reader.pid, signal.SIGKILL)
        reader.wait()
    write(config, "v4")
    assert versions(config) == ["v3", "v4"]


def test_who_comes_when_a_version_is_deleted_gets_the_current_one(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ingests end between reading the current version's name and holding it."""
    write(config, "v1")
    honest = lease.take

    def late(folder: Path) -> int | None:
        if folder.name == "v1":
            for version in ("v2", "v3"):
                write(config, version)
        return honest(folder)

    monkeypatch.setattr(lease, "take", late)
    assert History.open(config).version == "v3"
    assert versions(config) == ["v2", "v3"]


def test_versions_without_a_lease_are_read_and_deleted(config: Config) -> None:
    """Those that were written before there were leases."""
    write(config, "v1")
    (config.state / FOLDER / "v1" / lease.LEASE).unlink()
    reader = History.open(config)
    assert reader.version == "v1"
    for version in ("v2", "v3"):
        write(config, version)
    assert versions(config) == ["v1", "v2", "v3"]
    del reader
    gc.collect()
    (config.state / FOLDER / "v1" / lease.LEASE).unlink()
    write(config, "v4")
    assert versions(config) == ["v3", "v4"]
