"""The tree keeps its layers; reads the source, runs none of it.

One rule a test, each over every file, so that a failure names the file, the line and the rule.
"""

import ast
import importlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("recsys", "training", "serving")
#: Order of the stages inside recsys: each imports itself, those before it, and the root files.
STAGES = (
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
MAX_LINES = 400

#: What only an entry point may use: the library serves without a command line and without Flask.
FORBIDDEN = {
    "recsys": {"training", "serving", "flask", "click", "rich", "httptools"},
    "training": {"serving", "flask"},
    "serving": {"training", "click", "rich", "implicit"},
}
#: Commands that ask the service's own code, so that what they say is what it would do.
ASK_THE_SERVICE = {"training/mailing.py", "training/replay.py", "training/week/script.py"}
#: Loading code from data: artefacts are arrays.
UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal"}
UNSAFE_CALLS = {"joblib.load", "joblib.dump", "numpy.fromregex"}
CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "ibis.now",
    "ibis.today",
}


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Source:
    """What the rules ask of a file, which is parsed once for all of them."""

    name: str
    package: str
    docstring: str | None
    imports: list[tuple[int, str]]
    calls: list[tuple[int, str]]
    #: Absolute ``from`` imports: line, module, names.
    taken: list[tuple[int, str, list[str]]]
    allow_pickle: list[int]


@cache
def source(path: Path) -> Source:
    tree, package = read(path), package_of(path)
    return Source(
        named(path),
        package,
        ast.get_docstring(tree),
        list(imports(tree, package)),
        list(calls(tree, package)),
        [
            (node.lineno, node.module, [alias.name for alias in node.names])
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and not node.level and node.module
        ],
        [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ],
    )


def sources(*folders: str) -> list[Source]:
    return [source(path) for path in files(*folders)]


def imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, names of ``from`` imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join(parents[: len(parents) - node.level + 1] + ([base] if base else []))
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def calls(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of every call whose root is an imported name."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                aliases[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        root, *rest = dotted(node)
        if root in aliases:
            yield node.lineno, ".".join([aliases[root], *rest])


def dotted(node: ast.AST) -> list[str]:
    """``["a", "b"]`` for ``a.b``; an empty text for what is no name of that form."""
    rest: list[str] = []
    while isinstance(node, ast.Attribute):
        rest.insert(0, node.attr)
        node = node.value
    return [node.id if isinstance(node, ast.Name) else "", *rest]


def test_packages_import_only_what_their_layer_may() -> None:
    wrong = [
        f"{file.name}:{line} imports {name}"
        for file in sources(*PACKAGES)
        for line, name in file.imports
        if name.split(".")[0] in FORBIDDEN[file.package.split(".")[0]]
        and not (file.name in ASK_THE_SERVICE and name.startswith("serving.in_process"))
    ]
    assert not wrong, "\n".join(wrong)


def test_stages_import_only_the_stages_before_them() -> None:
    wrong = [
        f"{file.name}:{line} imports {name}"
        for file in sources("recsys")
        for line, name in file.imports
        if name.startswith("recsys.")
        and (stage := name.split(".")[1]) in STAGES
        and STAGES.index(stage) > stage_of(file)
    ]
    assert not wrong, "\n".join(wrong)


def stage_of(file: Source) -> int:
    parts = file.package.split(".")
    return STAGES.index(parts[1]) if len(parts) > 1 else -1


@cache
def room_of(module: str) -> str:
    """Top folder of a module: ``recsys.ledger`` for ``recsys.ledger.offers.codes``."""
    parts = module.split(".")
    return ".".join(parts[:2]) if (ROOT / "/".join(parts[:2])).is_dir() else parts[0]


@cache
def offered_by(package: str) -> set[str]:
    """Names that a folder's ``__init__`` exports, and its modules and folders."""
    folder = ROOT / package.replace(".", "/")
    stub = folder / "__init__.pyi"
    names = {path.stem for path in folder.iterdir()}
    if stub.exists():
        for node in read(stub).body:
            if isinstance(node, ast.Assign):
                names |= set(ast.literal_eval(node.value))
    return names


def test_rooms_are_entered_through_their_door() -> None:
    """``from recsys.ledger import Ledger`` or a module as a whole; never a name of its insides."""
    wrong = []
    for file in sources("recsys", "serving", "training", "benchmarks"):
        mine = room_of(file.name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for line, module, names in file.taken:
            room = room_of(module)
            if module.split(".")[0] not in ("recsys", "serving"):
                continue
            if room == mine or room in ("recsys", "serving"):
                continue
            if not (ROOT / module.replace(".", "/")).is_dir():
                wrong.append(f"{file.name}:{line} reaches into {module}")
            else:
                offered = offered_by(module)
                wrong += [
                    f"{file.name}:{line} {module} does not offer {name}"
                    for name in names
                    if name not in offered
                ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "stub",
    [stub for folder in PACKAGES for stub in sorted((ROOT / folder).rglob("__init__.pyi"))],
    ids=named,
)
def test_doors_open(stub: Path) -> None:
    """Whatever a folder exports is there, and is named as its module names it."""
    package = importlib.import_module(named(stub.parent).replace("/", "."))
    for node in read(stub).body:
        if isinstance(node, ast.ImportFrom):
            inside = importlib.import_module(f"{package.__name__}.{node.module}")
            for alias in node.names:
                assert getattr(package, alias.name) is getattr(inside, alias.name)


def test_the_library_reads_no_clock() -> None:
    wrong = [
        f"{file.name}:{line} uses {name}; take `as_of` as an argument"
        for file in sources("recsys")
        for line, name in file.calls
        if name in CLOCKS
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_unpickled() -> None:
    wrong = []
    for file in sources(*PACKAGES):
        wrong += [
            f"{file.name}:{line} {name}"
            for line, name in [*file.imports, *file.calls]
            if name.split(".")[0] in UNSAFE or name in UNSAFE_CALLS
        ]
        wrong += [f"{file.name}:{line} allow_pickle" for line in file.allow_pickle]
    assert not wrong, "\n".join(wrong)


def test_files_stay_short() -> None:
    lengths = {
        named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in files(*PACKAGES, "tests", "benchmarks")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_every_module_has_its_test() -> None:
    """``recsys/ledger/keys.py`` has ``tests/recsys/ledger/test_keys.py``, or another one's name."""
    listed = tomllib.loads((ROOT / "tests" / "covered_by.toml").read_text(encoding="utf-8"))
    covered = {
        f"{room}.{name}": test for room, names in listed.items() for name, test in names.items()
    }
    modules = {
        named(path).removesuffix(".py").replace("/", ".")
        for path in files(*PACKAGES)
        if path.name != "__init__.py"
    }
    with_own = {module for module in modules if own_test(module).exists()}
    assert modules - with_own - covered.keys() == set(), "name the test that covers it"
    assert covered.keys() - modules == set(), "there is no such module"
    assert covered.keys() & with_own == set(), "it has a test of its own"
    assert [test for test in covered.values() if not (ROOT / test).is_file()] == []


def own_test(module: str) -> Path:
    *rooms, name = module.split(".")
    return ROOT.joinpath("tests", *rooms, f"test_{name}.py")


def test_every_module_says_what_it_is() -> None:
    assert [file.name for file in sources(*PACKAGES) if not file.docstring] == []


def test_every_stage_of_the_library_has_its_place() -> None:
    folders = {path.parent.name for path in (ROOT / "recsys").glob("*/__init__.py")}
    assert folders <= set(STAGES)


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "common", "core", "helpers", "misc"}
    assert not [named(path) for path in files(*PACKAGES) if drawers & {path.stem, path.parent.name}]


def test_the_rules_find_what_they_look_for() -> None:
    """Guards the guards: each reader sees the forms that code may take."""
    source = "import datetime as d, time\nfrom datetime import datetime\nfrom ..models import als\n"
    source += "d.datetime.now(); time.time(); datetime.now()\n"
    tree = ast.parse(source)
    assert {"datetime.datetime.now", "time.time"} <= {name for _, name in calls(tree, "recsys")}
    assert "recsys.models.als" in {name for _, name in imports(tree, "recsys.ranking")}
