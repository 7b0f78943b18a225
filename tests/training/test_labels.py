"""Shelf labels on the command line: which products, at what prices, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recsys.recommender.label_sheet import draw_code
from tests.serving.conftest import ITEMS, SOLD_OUT, shop, workspace
from training.cli import main

__all__ = ["shop", "workspace"]

BASE = "https://shop.example/omni/"


def labels(workspace: Path, *arguments: str, base_url: str = BASE, location: str = "S1") -> Result:
    given = ["--location", location, "--base-url", base_url, "--workspace", str(workspace)]
    to = ["--output", str(workspace / "labels.html")]
    return CliRunner().invoke(main, ["labels", *given, *to, *arguments])


def sheet(workspace: Path, *arguments: str) -> str:
    result = labels(workspace, *arguments)
    assert result.exit_code == 0, result.output
    return (workspace / "labels.html").read_text()


def titles(text: str) -> list[str]:
    return re.findall(r'<div class="title"><bdi>(.*?)</bdi>', text)


def test_every_product_gets_a_label_with_the_code_of_its_page(workspace: Path) -> None:
    text = sheet(workspace)
    assert len(titles(text)) == len(ITEMS)
    assert draw_code("https://shop.example/omni/p/tea?location=S1") in text
    assert text.count("€1.50") == len(ITEMS)
    assert "4006381333931" in text
    assert "<img" not in text  # a title holds one
    assert len(titles(sheet(workspace, "--in-stock"))) == len(ITEMS) - 1
    assert titles(sheet(workspace, "--items", "tea", "--items", "pasta")) == ["Tea", "Pasta"]
    assert labels(workspace, "--items", "tea").stdout.startswith("Wrote 1 label to ")
    assert "1,50\u00a0€" in sheet(workspace, "--lang", "de", "--items", "tea")
    said = json.loads(labels(workspace, "--json").stdout)
    assert (said["labels"], said["location_id"]) == (len(ITEMS), "S1")


def test_it_tells_of_pages_that_are_off(workspace: Path) -> None:
    assert "aisle_pages = true" in labels(workspace).stderr
    with (workspace / "omnibasket.toml").open("a") as file:
        file.write("[serve]\naisle_pages = true\n")
    assert labels(workspace).stderr == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"location": "S11"}, "no location `S11`. Did you mean `S1`"),
        ({"base_url": "ftp://shop.example"}, "`ftp://shop.example` is no address"),
        ({"arguments": ["--items", "pastas"]}, "Did you mean `pasta`"),
        ({"arguments": ["--category", "Tea"]}, "no product has the category `Tea`"),
        ({"arguments": ["--items", SOLD_OUT, "--in-stock"]}, "nothing was written"),
        ({"arguments": ["--columns", "9"]}, "--columns"),
    ],
)
def test_what_cannot_be_printed_is_refused(
    workspace: Path, changed: dict[str, Any], words: str
) -> None:
    arguments = changed.pop("arguments", [])
    result = labels(workspace, *arguments, **changed)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not (workspace / "labels.html").exists()
