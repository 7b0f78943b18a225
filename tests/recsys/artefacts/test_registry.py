import json
import multiprocessing
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recsys.artefacts import registry
from recsys.artefacts.artefact_format import Manifest, load
from recsys.config.toml_file import Config
from recsys.errors import ArtefactError, DataError

FIRST = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path):
    return Config(folder=tmp_path)


def add(config, hours=0, value=0, **more):
    created = FIRST + timedelta(hours=hours)
    manifest = Manifest(created=created, as_of=FIRST, fingerprint="history-1")
    return registry.add(config, {"x": np.array([value])}, manifest, **more)


def promote(config, version, hours=0, **more):
    return registry.promote(config, version, at=FIRST + timedelta(hours=hours), **more)


def rollback(config, hours=0):
    return registry.rollback(config, at=FIRST + timedelta(hours=hours), by="ada").name


def publish(config, hours=0, value=0, **more):
    return promote(config, add(config, hours, value, **more).name, hours)


def value_of(folder):
    return int(load(folder).array("x")[0])


def leftovers(config):
    found = registry.folder(config).glob(".*")
    return [path.name for path in found if path.name not in (".lock", ".writing")]


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
    with pytest.raises(ArtefactError, match=r"the disk is full.*stays current"):
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
    assert promote(config, first.name) == first
    assert registry.current(config) == first
    with pytest.raises(ArtefactError, match=f"no version `x`. There are: .*{second.name}"):
        promote(config, "x")


def test_a_version_can_be_named_by_its_beginning(config):
    first, second = publish(config, 0, 1), publish(config, 1, 2)
    assert registry.find(config, first.name[:14]) == first
    assert registry.find(config, "current") == second
    with pytest.raises(ArtefactError, match=f"several versions begin with `2026`.*{first.name}, "):
        registry.find(config, "2026")
    with pytest.raises(ArtefactError, match="no version ``"):
        registry.find(config, "")


def test_a_version_that_is_added_is_not_current(config):
    first = publish(config, 0, 1)
    second = add(config, 1, 2)
    assert registry.current(config) == first
    assert registry.versions(config) == [first.name, second.name]


def test_equal_arrays_have_equal_digests(config):
    first, again, other = (load(add(config, h, v)).manifest for h, v in ((0, 1), (1, 1), (2, 2)))
    assert first.files == again.files
    assert first.digest == again.digest != other.digest
    assert len(first.digest) == 64


def test_a_manifest_that_was_changed_is_damaged(config):
    folder = add(config)
    path = folder / "manifest.json"
    found = json.loads(path.read_text())
    found["files"]["x"]["sha256"] = "0" * 64
    path.write_text(json.dumps(found))
    with pytest.raises(ArtefactError, match="digest"):
        load(folder)


def no(new, old):
    raise DataError(f"{new.created:%H} after {old.created:%H}")


def test_the_gate_sees_both_and_may_refuse(config):
    first, second = publish(config, 0, 1), add(config, 1, 2)
    with pytest.raises(DataError, match="13 after 12"):
        promote(config, second.name, allow=no)
    assert registry.current(config) == first
    assert len(registry.log(config)) == 1
    promote(config, first.name, allow=no)  # is current: nothing to ask
    assert len(registry.log(config)) == 1


def test_a_current_version_that_is_damaged_hinders_nobody(config):
    first, second = publish(config, 0, 1), add(config, 1, 2)
    (first / "manifest.json").write_text("{}")
    seen = []
    promote(config, second.name, allow=lambda new, old: seen.append(old) or [])
    assert seen == [None]
    assert registry.current(config) == second


def test_the_log_tells_who_when_and_why(config):
    first, second = publish(config, 0, 1), add(config, 1, 2)
    promote(config, second.name, 2, by="ada", reason="shops closed", allow=lambda *both: ["worse"])
    rollback(config, 3)
    told = registry.log(config)
    assert [(entry.action, entry.before, entry.version) for entry in told] == [
        ("promoted", None, first.name),
        ("promoted", first.name, second.name),
        ("rolled_back", second.name, first.name),
    ]
    assert (told[1].by, told[1].reason) == ("ada", "shops closed")
    assert (told[1].forced, told[1].refusals) == (True, ["worse"])
    assert told[1].at == FIRST + timedelta(hours=2)
    lines = (registry.folder(config) / "promotions.ndjson").read_text().splitlines()
    assert [json.loads(line)["to"] for line in lines] == [first.name, second.name, first.name]


def test_a_line_of_the_log_that_was_cut_short_does_no_harm(config):
    publish(config, 0, 1)
    path = registry.folder(config) / "promotions.ndjson"
    with path.open("a") as file:
        file.write('{"at":"2026-03-01T1')
    second = publish(config, 1, 2)
    assert [entry.version for entry in registry.log(config)][1:] == [second.name]


def test_rolling_back_again_goes_further_back(config):
    a, b, c = (publish(config, hours, hours).name for hours in range(3))
    assert registry.rollback_target(config) == b
    assert rollback(config) == b
    assert registry.rollback_target(config) == a
    assert rollback(config) == a
    with pytest.raises(ArtefactError, match="nothing to roll back to"):
        rollback(config)
    assert registry.current(config).name == a
    promote(config, c)  # and from there back to what was current before
    assert rollback(config) == a


def test_a_rollback_passes_over_what_is_gone(config):
    a, b, _ = (publish(config, hours, hours) for hours in range(3))
    shutil.rmtree(b)
    assert rollback(config) == a.name


def test_a_rollback_to_a_damaged_version_changes_nothing(config):
    a, b = (publish(config, hours, hours) for hours in range(2))
    (a / "x.npy").write_bytes(b"")
    with pytest.raises(ArtefactError, match="damaged"):
        rollback(config)
    assert registry.current(config) == b


def test_what_was_made_current_by_hand_is_on_the_way_back(config):
    a, _, c = (publish(config, hours, hours).name for hours in range(3))
    registry.pointer(config).write_text(f"{a}\n")
    assert registry.rollback_target(config) == c
    assert rollback(config) == c


def test_young_versions_are_kept(config):
    names = [publish(config, hours).name for hours in range(6)]
    assert registry.prune(config, 1, FIRST + timedelta(hours=3)) == names[:3]
    assert registry.versions(config) == names[3:]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("apr"), st.integers(0, 5)), max_size=15))
def test_whatever_was_done_there_is_a_current_version_and_a_way_back(steps):
    """Adding, promoting, rolling back and pruning in any order."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(folder=Path(folder))
        way = []
        for hours, (what, number) in enumerate(steps):
            known = registry.versions(config)
            if what == "a":
                add(config, hours)
            elif what == "p" and known:
                chosen = known[number % len(known)]
                promote(config, chosen)
                way += [chosen] if way[-1:] != [chosen] else []
            elif what == "r" and registry.rollback_target(config):
                rollback(config)
                way.pop()
                while way[-1] not in known or way[-1] == registry.log(config)[-1].before:
                    way.pop()
                assert registry.current(config).name == way[-1]
            registry.prune(config, 2)
            if way:
                assert registry.current(config).name == way[-1]
                assert len(registry.versions(config)) <= 4
        assert leftovers(config) == []


def test_a_damaged_version_is_not_made_current(config):
    first, second = publish(config, 0, 1), publish(config, 1, 2)
    (first / "x.npy").unlink()
    with pytest.raises(ArtefactError, match="missing"):
        promote(config, first.name)
    assert registry.current(config) == second


def test_old_versions_are_removed_but_never_the_current_one(config):
    folders = [publish(config, hours) for hours in range(5)]
    names = [folder.name for folder in folders]
    promote(config, names[0])
    promote(config, names[1])
    promote(config, names[0])
    assert registry.prune(config, 1) == names[2:4]  # a rollback would go to names[1]
    assert registry.versions(config) == [*names[:2], names[4]]
    assert registry.current(config) == folders[0]
    assert registry.prune(config, 0) == names[4:]


def test_a_pointer_to_nothing_is_said(config):
    first = publish(config)
    registry.pointer(config).write_text("gone\n")
    with pytest.raises(ArtefactError, match="names the version `gone`, which is missing"):
        registry.current(config)
    assert first.exists()


def test_a_reader_keeps_what_it_has_mapped(config):
    array = load(publish(config, 0, 7)).array("x")
    publish(config, 1, 8)
    publish(config, 2, 9)
    assert registry.prune(config, 1)
    assert array.tolist() == [7]


def test_the_manifest_may_name_any_data(config):
    manifest = Manifest(created=FIRST, as_of=FIRST, fingerprint="a/b c")
    folder = registry.add(config, {}, replace(manifest, details={"note": "x"}))
    assert folder.parent == registry.folder(config)
