import multiprocessing
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from recsys.config import Config
from recsys.errors import ArtefactError, DataError
from recsys.persistence import registry
from recsys.persistence.artefact import Manifest, load

FIRST = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path):
    return Config(folder=tmp_path)


def publish(config, hours=0, value=0, **more):
    created = FIRST + timedelta(hours=hours)
    manifest = Manifest(created=created, as_of=FIRST, fingerprint="history-1")
    return registry.publish(config, {"x": np.array([value])}, manifest, **more)


def value_of(folder):
    return int(load(folder).array("x")[0])


def leftovers(config):
    return [path.name for path in registry.folder(config).glob(".unfinished*")]


def test_nothing_is_there_at_first(config):
    assert registry.versions(config) == []
    assert registry.prune(config, 3) == []
    with pytest.raises(ArtefactError, match=r"no artefact yet\. Run `omnibasket train` first"):
        registry.current(config)


def test_what_was_published_last_is_current(config):
    first = publish(config, 0, 1)
    assert registry.current(config) == first
    second = publish(config, 1, 2)
    assert registry.current(config) == second
    assert value_of(second) == 2
    assert registry.versions(config) == [first.name, second.name]
    assert first.name.startswith("20260301T120000Z-")
    assert registry.pointer(config).read_text().strip() == second.name
    assert leftovers(config) == []


def test_two_of_one_second_have_two_names(config):
    first, second = publish(config, 0, 1), publish(config, 0, 2)
    assert first != second
    assert registry.versions(config) == [first.name, second.name]


def refuse(artefact):
    raise DataError("worse than before")


def test_what_fails_its_check_is_not_made_current(config):
    first = publish(config, 0, 1)
    with pytest.raises(DataError, match="worse than before"):
        publish(config, 1, 2, check=refuse)
    assert registry.current(config) == first
    assert registry.versions(config) == [first.name]
    assert leftovers(config) == []


def test_what_does_not_read_back_is_not_made_current(config, monkeypatch):
    first = publish(config, 0, 1)
    write = registry.write

    def lossy(folder, *rest):
        written = write(folder, *rest)
        os.truncate(folder / "x.npy", 100)
        return written

    monkeypatch.setattr(registry, "write", lossy)
    with pytest.raises(ArtefactError, match=r"x\.npy: damaged"):
        publish(config, 1, 2)
    assert registry.current(config) == first
    assert leftovers(config) == []


def test_a_full_disk_leaves_the_old_one(config, monkeypatch):
    first = publish(config, 0, 1)

    def full(*anything, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ArtefactError, match=r"No space left on device.*stays current"):
        publish(config, 1, 2)
    assert registry.current(config) == first
    assert leftovers(config) == []


def die_while_checking(config):
    publish(config, 1, 2, check=lambda artefact: os._exit(9))


def test_a_killed_run_leaves_the_old_one_and_is_swept_up(config):
    first = publish(config, 0, 1)
    process = multiprocessing.get_context("spawn").Process(
        target=die_while_checking, args=(config,)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert registry.current(config) == first
    assert registry.versions(config) == [first.name]
    assert leftovers(config)
    publish(config, 2, 3)
    assert leftovers(config) == []


def test_an_older_version_can_be_made_current_again(config):
    first, second = publish(config, 0, 1), publish(config, 1, 2)
    assert registry.promote(config, first.name) == first
    assert registry.current(config) == first
    with pytest.raises(ArtefactError, match=f"no version `x`. There are: .*{second.name}"):
        registry.promote(config, "x")


def test_a_damaged_version_is_not_made_current(config):
    first, second = publish(config, 0, 1), publish(config, 1, 2)
    (first / "x.npy").unlink()
    with pytest.raises(ArtefactError, match="missing"):
        registry.promote(config, first.name)
    assert registry.current(config) == second


def test_old_versions_are_removed_but_never_the_current_one(config):
    folders = [publish(config, hours) for hours in range(5)]
    names = [folder.name for folder in folders]
    registry.promote(config, names[0])
    assert registry.prune(config, 2) == names[1:3]
    assert registry.versions(config) == [names[0], *names[3:]]
    assert registry.current(config) == folders[0]
    assert registry.prune(config, 0) == names[3:]


def test_a_pointer_to_nothing_is_said(config):
    first = publish(config)
    registry.pointer(config).write_text("gone\n")
    with pytest.raises(ArtefactError, match="names the version `gone`, which is not there"):
        registry.current(config)
    assert first.exists()


def test_a_reader_keeps_what_it_has_mapped(config):
    array = load(publish(config, 0, 7)).array("x")
    publish(config, 1, 8)
    registry.prune(config, 1)
    assert array.tolist() == [7]


def test_the_manifest_may_name_any_data(config):
    manifest = Manifest(created=FIRST, as_of=FIRST, fingerprint="a/b c")
    folder = registry.publish(config, {}, replace(manifest, details={"note": "x"}))
    assert folder.parent == registry.folder(config)
