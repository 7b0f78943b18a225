"""Fixtures of small workspaces: settings and exports as texts, ingested for real."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recsys.config.toml_file import Config, load_config
from recsys.history.versions import History
from training.ingest import ingest

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Workspace:
    """A folder with settings and exports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, **files: str | bytes) -> None:
        """Write exports; ``till__1_csv`` is the file ``till/1.csv``."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_csv", ".csv").replace(
                "_ndjson", ".ndjson"
            ).replace("_toml", ".toml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    @property
    def config(self) -> Config:
        return load_config(self.folder)

    def ingest(self) -> dict[str, Any]:
        return ingest(self.config, AT, lambda *_: None)

    def table(self, name: str = "lines") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = History.open(self.config).table(name).to_pylist()
        return rows

    def items(self) -> list[tuple[str, str, float]]:
        """Order, item and quantity of every line, sorted."""
        return sorted((r["order_id"], r["item_id"], r["quantity"]) for r in self.table())

    def rejects(self) -> list[dict[str, str]]:
        import csv

        path = History.open(self.config).folder / "rejects.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


LINES = """
[workspace]
currency = "EUR"
time_zone = "Europe/Berlin"
[sources.shop]
kind = "order_lines"
path = "shop"
channel = "web"
[sources.shop.columns]
order_id = "order"
item_id = "sku"
occurred_at = "time"
quantity = "qty"
unit_price = "price"
[sources.shop.identifiers]
email = "email"
"""
HEADER = "order,time,sku,qty,price,email\n"


Make = Callable[..., Workspace]


def shop_in(folder: Path) -> Make:
    """Make a workspace with order lines in ``shop/*.csv``, from the lines of each file."""
    workspace = Workspace(folder)

    def make(*files: str, settings: str = "", source: str = "") -> Workspace:
        toml = LINES.replace("[sources.shop.columns]", source + "\n[sources.shop.columns]")
        workspace.write(omnibasket_toml=toml + settings)
        for number, lines in enumerate(files, 1):
            workspace.write(**{f"shop__{number}_csv": HEADER + lines})
        return workspace

    return make


def shops_in(folder: Path, sources: Mapping[str, tuple[str, str]]) -> Workspace:
    """Make a workspace with sources of order lines by name, each with settings and lines."""
    head, shop = LINES.split("[sources.shop]")
    workspace = Workspace(folder)
    toml = [head]
    for name, (settings, lines) in sources.items():
        own = shop.replace('"shop"', f'"{name}"').replace("sources.shop", f"sources.{name}")
        own = own.replace(f"[sources.{name}.columns]", f"{settings}\n[sources.{name}.columns]")
        toml.append(f"[sources.{name}]{own}")
        workspace.write(**{f"{name}__1_csv": HEADER + lines})
    workspace.write(omnibasket_toml="".join(toml))
    return workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Make:
    """Return ``shop_in`` for a workspace of the test's own."""
    return shop_in(tmp_path)
