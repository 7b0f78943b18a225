"""The documents say what the code does: settings with their defaults, commands, snippets, links."""

import csv
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from recsys.config import CapSettings, PlacementRule
from recsys.config.toml_file import (
    PLACEMENTS,
    Column,
    Config,
    PlacementSettings,
    Settings,
    Source,
    load_config,
    parse_config,
)
from recsys.identity.hashing import KeyedHash
from recsys.ingest.sources.catalogue import (
    LINK_FIELDS,
    LOCATION_FIELDS,
    PRODUCT_FIELDS,
    STOCK_FIELDS,
)
from recsys.ingest.sources.order_lines import FIELDS, LINE_TYPES
from recsys.ingest.sources.shopify import FIELDS as SHOPIFY_FIELDS
from recsys.recommender.bundles.spreadsheet import short, spreadsheet
from recsys.schema import CHANNELS
from training.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def sections() -> Iterator[tuple[str, type[Settings]]]:
    """Heading or opening words of each section, with the settings it must list."""
    for field in msgspec.structs.fields(Config):
        kind = field.type
        if field.name == "models":
            for model in msgspec.structs.fields(kind):
                yield f"`[models.{model.name}]`", model.type
        elif isinstance(kind, type) and issubclass(kind, Settings):
            yield f"\n## {field.name}\n", kind
    yield "\n## sources.NAME\n", Source
    yield "\n### sources.NAME.columns\n", Column
    yield "\n## placements.NAME\n", PlacementSettings
    yield "\n### placements.NAME.rules\n", PlacementRule
    yield "\n## caps.NAME\n", CapSettings


def documented(heading: str) -> dict[str, str]:
    """Setting → default, from the first table after a heading."""
    assert heading in CONFIGURATION, f"docs/configuration.md has no {heading.strip()}"
    after = CONFIGURATION.split(heading, 1)[1]
    table = after[after.index("| setting |") :].split("\n\n", 1)[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    return {row[1].strip().strip("`"): row[2].strip() for row in rows}


@pytest.mark.parametrize(("heading", "kind"), [*sections()], ids=lambda value: str(value).strip())
def test_every_setting_is_documented_with_its_default(heading: str, kind: type[Settings]) -> None:
    told = documented(heading)
    own_pages = {"columns", "identifiers", "consents"} if kind is Source else set()
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind) if f.name not in own_pages}
    assert set(told) == set(fields)
    for name, field in fields.items():
        if field.default_factory is not msgspec.NODEFAULT:
            default: Any = msgspec.to_builtins(field.default_factory())
        else:
            default = field.default
        if default is msgspec.NODEFAULT:
            assert told[name] == "needed"
        elif default is None or (kind is Column and default in ({}, [])):
            assert not told[name].startswith("`"), name
        else:
            assert tomllib.loads(f"v = {told[name].strip('`')}")["v"] == default, name


def test_every_field_of_an_export_is_documented() -> None:
    columns = CONFIGURATION.split("\n### sources.NAME.columns\n", 1)[1].split("\n### ", 1)[0]
    groups = (FIELDS, PRODUCT_FIELDS, LOCATION_FIELDS, STOCK_FIELDS, LINK_FIELDS, SHOPIFY_FIELDS)
    wanted = {name for group in groups for name in group} | set(LINE_TYPES)
    assert {name for name in wanted if f"`{name}`" not in columns} == set()
    assert {name for name in CHANNELS if f"`{name}`" not in CONFIGURATION} == set()


def test_built_in_placements_are_documented() -> None:
    table = CONFIGURATION.split("\nBuilt in:\n", 1)[1].split("\n## ", 1)[0]
    told = dict(re.findall(r"^\| `(\w+)` \| `(.+)` \|$", table, re.MULTILINE))
    placements = {
        name: msgspec.convert(tomllib.loads(f"v = {text}")["v"], PlacementSettings)
        for name, text in told.items()
    }
    assert placements == PLACEMENTS


def fenced(language: str) -> list[Any]:
    """Blocks of a language in all documents."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text[: block.start()].count("\n") + 1
            found.append(pytest.param(block.group(1), id=f"{path.relative_to(ROOT)}:{line}"))
    return found


@pytest.mark.parametrize("block", fenced("toml"))
def test_settings_that_are_shown_are_known(block: str) -> None:
    """Shown settings may be a part of a file, never one that does not load."""
    parse_config(tomllib.loads(block), Path("omnibasket.toml"))


@pytest.mark.parametrize("block", fenced("python"))
def test_snippets_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "snippet", "exec"), {"__name__": "snippet"})


@pytest.mark.parametrize("block", fenced("console"))
def test_commands_that_are_shown_exist(block: str) -> None:
    """Each ``$ `` line is a make target or a command with options that it has."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.sub(r"\\\n", " ", block)
    for line in re.findall(r"^\$ (.*)$", commands, re.MULTILINE):
        words = line.split("#")[0].split("|")[0].split()
        if words[0] == "make":
            named = [word for word in words[1:] if "=" not in word]
            assert set(named) <= targets, line
        if words[0] in ("omnibasket", ".venv/bin/omnibasket"):
            check_command(words[1:], line)


def check_command(words: list[str], line: str) -> None:
    context = click.Context(main)
    command: click.Command = main
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            assert found is not None, f"{line}: no command {word}"
            command = found
        elif word.startswith("-") and word != "-":
            known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
            assert word.split("=")[0] in known | {"--help", "-h"}, f"{line}: no option {word}"


def all_commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", inner) for sub, inner in command.commands.items())


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = []
    for name, command in all_commands():
        if f"## omnibasket {name}\n" not in text:
            missing.append(f"omnibasket {name}")
            continue
        part = text.split(f"## omnibasket {name}\n", 1)[1].split("\n## ", 1)[0]
        for parameter in command.params:
            shown = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.name
            if f"`{shown}" not in part:
                missing.append(f"omnibasket {name}: {shown}")
    assert not missing


def test_every_route_is_documented(tmp_path: Path) -> None:
    from serving.app import create_app

    (tmp_path / "omnibasket.toml").touch()
    KeyedHash.load(load_config(tmp_path), create=True)
    app = create_app(load_config(tmp_path), background=False)
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    calls = {
        method + " " + re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    app.extensions["omnibasket"].close()
    assert {call for call in calls if f"`{call}`" not in text} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.exists(), f"{path.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {anchor_of(heading) for heading in headings}, f"{path.name}: {target}"


def anchor_of(heading: str) -> str:
    """Anchor that a heading gets on the usual forges."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_index_lists_every_document() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_every_column_of_the_tables_of_bundles_is_explained() -> None:
    explained = (ROOT / "docs" / "bundles.md").read_text(encoding="utf-8").split("## As a table")[1]
    explained = explained.split("\n## ")[0]
    for table in (spreadsheet, short):
        (names,) = csv.reader(io.StringIO(table([]).decode("utf-8-sig")))
        for name in names:
            first = re.sub(
                r"_[2-4](?=_|$)", "_1", name
            )  # of the products, the first stands for all
            assert f"`{first}`" in explained, f"docs/bundles.md does not explain `{name}`"
