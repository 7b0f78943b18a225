"""requirements.lock holds what pyproject.toml asks for, with hashes and without addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


def declared() -> list[str]:
    groups = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    return sorted({*wanted, *(name for group in groups for name in group)})


def locked() -> dict[str, list[str]]:
    """Package → its locked versions; more than one where platforms differ."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


@pytest.mark.parametrize("requirement", declared())
def test_every_declared_dependency_is_locked(requirement: str) -> None:
    asked = Requirement(requirement)
    versions = locked().get(canonicalize_name(asked.name), [])
    assert versions, f"{asked.name} is not in requirements.lock: run `make lock`"
    assert all(asked.specifier.contains(version, prereleases=True) for version in versions)


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    without = [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not without


def test_the_lock_names_no_package_index() -> None:
    assert not re.findall(r"^.*(?:index-url|find-links|://).*$", LOCK, re.MULTILINE)
