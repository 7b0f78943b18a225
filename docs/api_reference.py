"""Writes the API reference, ``docs/api/``, from the docstrings of what each room exports.

Run ``make api`` after you have changed a public docstring; a test fails while the pages differ.
Griffe reads the source without importing it.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import griffe

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = ROOT / "docs" / "api"
#: Rooms in the order of imports, each a page.
ROOMS: Final = (
    "languages",
    "config",
    "values",
    "history",
    "identity",
    "ingest",
    "datasets",
    "models",
    "ranking",
    "bundles",
    "artefacts",
    "decisions",
    "recommender",
    "ledger",
    "evaluation",
    "learning",
    "analysis",
)
#: What the fields of a table are called, by the kind of a docstring's section.
TABLES: Final = {
    "parameters": ("parameter", "type", "meaning"),
    "attributes": ("attribute", "type", "meaning"),
    "returns": ("returns", "meaning"),
    "yields": ("yields", "meaning"),
    "raises": ("raises", "when"),
}


def pages() -> dict[str, str]:
    """Return every page of the reference: file name → Markdown."""
    package = griffe.load(
        "recsys", search_paths=[str(ROOT)], docstring_parser="numpy", resolve_aliases=True
    )
    written = {"README.md": _index(package)}
    for room in ROOMS:
        written[f"{room}.md"] = "".join(_page(package[room]))
    return written


def undocumented() -> list[str]:
    """Name the parameters of exported functions and methods that no docstring explains."""
    package = griffe.load(
        "recsys", search_paths=[str(ROOT)], docstring_parser="numpy", resolve_aliases=True
    )
    missing: list[str] = []
    for room in (package[name] for name in ROOMS):
        for part in (room, *_rooms_inside(room)):
            for name in map(str, part.exports or ()):
                for function in _functions(_target(part[name])):
                    missing += _unexplained(function)
    return sorted(set(missing))


def main() -> None:
    """Write the pages, and remove those of rooms that are gone."""
    PAGES.mkdir(exist_ok=True)
    written = pages()
    for path in PAGES.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(written)} pages in {PAGES.relative_to(ROOT)}\n")


def _index(package: Any) -> str:
    rows = "".join(
        f"| [`recsys.{room}`]({room}.md) | {_plain(_summary(package[room]))} |\n" for room in ROOMS
    )
    return (
        "# API reference\n\n"
        "What each room of the library exports, made from its docstrings by `make api`. "
        "Import a name from its room: `from recsys.recommender import Engine`.\n\n"
        f"| room | what it does |\n|---|---|\n{rows}"
    )


def _page(room: Any) -> Iterator[str]:
    yield f"# `{room.path}`\n\n{_text(room.docstring.value)}\n"
    for part in (room, *_rooms_inside(room)):
        if part is not room:
            yield f"\n## `{part.path}`\n\n{_text(part.docstring.value)}\n"
        for name in sorted(map(str, part.exports or ()), key=str.lower):
            target = _target(part[name])
            if target is not None and target.kind.value in ("class", "function"):
                yield from _object(name, target, "##" if part is room else "###")


def _target(exported: Any) -> Any:
    """Return what a name stands for; None for constants that are assigned several at once."""
    try:
        return exported.final_target if exported.is_alias else exported
    except griffe.AliasResolutionError:
        return None


def _functions(found: Any) -> list[Any]:
    """Return a function itself, or the public methods of a class."""
    if found is None or found.kind.value not in ("class", "function"):
        return []
    if found.kind.value == "function":
        return [found]
    return [
        member
        for name, member in found.members.items()
        if not member.is_alias and member.kind.value == "function" and not name.startswith("_")
    ]


def _unexplained(function: Any) -> list[str]:
    sections = function.docstring.parsed if function.docstring else []
    explained = {
        name.strip().lstrip("*")
        for section in sections
        if section.kind.value == "parameters"
        for item in section.value
        for name in item.name.split(",")
    }
    given = [item.name for item in function.parameters if item.name not in ("self", "cls")]
    return [f"{function.path}({name})" for name in given if name not in explained]


def _rooms_inside(room: Any) -> list[Any]:
    return [
        part
        for _, part in sorted(room.members.items())
        if not part.is_alias and part.kind.value == "module" and part.is_subpackage
    ]


def _object(name: str, found: Any, level: str) -> Iterator[str]:
    yield f"\n{level} `{name}`\n\n"
    if found.kind.value == "function":
        yield f"```py\n{_signature(name, found)}\n```\n\n"
    yield from _docstring(found)
    if found.kind.value != "class":
        return
    for inside, member in found.members.items():
        if member.is_alias or inside.startswith("_") or member.docstring is None:
            continue
        if member.kind.value == "function":
            yield f"\n{level}# `{name}.{inside}`\n\n"
            yield f"```py\n{_signature(inside, member)}\n```\n\n"
            yield from _docstring(member)


def _signature(name: str, function: Any) -> str:
    given: list[str] = []
    starred = False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind.value if parameter.kind else ""
        if kind == "keyword-only" and not starred:
            given.append("*")
            starred = True
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        starred = starred or star == "*"
        kinds = f": {parameter.annotation}" if parameter.annotation else ""
        between = " = " if kinds else "="
        default = "" if parameter.default is None or star else f"{between}{parameter.default}"
        given.append(f"{star}{parameter.name}{kinds}{default}")
    returned = f" -> {function.returns}" if function.returns else ""
    line = f"{name}({', '.join(given)}){returned}"
    if len(line) <= 88:
        return line
    return f"{name}(\n    " + ",\n    ".join(given) + f",\n){returned}"


def _docstring(found: Any) -> Iterator[str]:
    if found.docstring is None:
        return
    for section in found.docstring.parsed:
        kind = section.kind.value
        if kind == "text":
            yield f"{_text(section.value)}\n"
        elif kind in TABLES:
            yield f"\n| {' | '.join(TABLES[kind])} |\n{'|---' * len(TABLES[kind])}|\n"
            for item in section.value:
                yield _row(item, kind)
        elif kind == "examples":
            for what, text in section.value:
                is_code = what.value == "examples"
                yield f"\n```pycon\n{text}\n```\n" if is_code else f"\n{_text(text)}\n"
        elif kind == "admonition":
            yield f"\n*{section.title}.* {_text(section.value.contents)}\n"


def _row(item: Any, kind: str) -> str:
    kinds = _code("" if item.annotation is None else str(item.annotation))
    meaning = _plain(item.description)
    if kind == "raises":
        return f"| {kinds} | {meaning} |\n"
    name = getattr(item, "name", "")
    if kind in ("returns", "yields"):
        return f"| {': '.join(filter(None, (_code(name), kinds)))} | {meaning} |\n"
    return f"| {_code(name)} | {kinds} | {meaning} |\n"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _summary(found: Any) -> str:
    return found.docstring.value.split("\n\n")[0]


def _plain(text: str) -> str:
    """Return text as it stands in a cell of a table."""
    return " ".join(_text(text).split()).replace("|", "\\|")


def _text(text: str) -> str:
    """Return Markdown of a docstring's text: code between single backticks."""
    return re.sub(r"``(.+?)``", r"`\1`", inspect.cleandoc(text))


if __name__ == "__main__":
    main()
