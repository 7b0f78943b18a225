"""The tree keeps its layers; reads the source, runs none of it.

One rule a test, each over every file, so that a failure names the file, the line and the rule.
"""

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("recsys", "training", "serving")
#: Order of the stages inside recsys: each imports itself, those before it, and the root files.
STAGES = (
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


every_file = pytest.mark.parametrize("path", files(*PACKAGES), ids=named)


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
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = ast.unparse(node)
            root, _, rest = dotted.partition(".")
            if root in aliases:
                yield node.lineno, f"{aliases[root]}.{rest}" if rest else aliases[root]


@every_file
def test_packages_import_only_what_their_layer_may(path: Path) -> None:
    package = package_of(path)
    forbidden = FORBIDDEN[package.split(".")[0]]
    wrong = [
        f"{named(path)}:{line} imports {name}"
        for line, name in imports(read(path), package)
        if name.split(".")[0] in forbidden
        and not (named(path) in ASK_THE_SERVICE and name.startswith("serving.in_process"))
    ]
    assert not wrong


@pytest.mark.parametrize("path", files("recsys"), ids=named)
def test_stages_import_only_the_stages_before_them(path: Path) -> None:
    package = package_of(path)
    parts = package.split(".")
    own = STAGES.index(parts[1]) if len(parts) > 1 else -1
    wrong = [
        f"{named(path)}:{line} imports {name}"
        for line, name in imports(read(path), package)
        if name.startswith("recsys.")
        and (stage := name.split(".")[1]) in STAGES
        and STAGES.index(stage) > own
    ]
    assert not wrong


def room_of(module: str) -> str:
    """Top folder of a module: ``recsys.ledger`` for ``recsys.ledger.offers.codes``."""
    parts = module.split(".")
    return ".".join(parts[:2]) if (ROOT / "/".join(parts[:2])).is_dir() else parts[0]


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


@pytest.mark.parametrize("path", files("recsys", "serving", "training", "benchmarks"), ids=named)
def test_rooms_are_entered_through_their_door(path: Path) -> None:
    """``from recsys.ledger import Ledger`` or a module as a whole; never a name of its insides."""
    mine = room_of(named(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    wrong = []
    for node in ast.walk(read(path)):
        if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
            continue
        if node.module.split(".")[0] not in ("recsys", "serving"):
            continue
        room = room_of(node.module)
        if room == mine or room in ("recsys", "serving"):
            continue
        if not (ROOT / node.module.replace(".", "/")).is_dir():
            wrong.append(f"{named(path)}:{node.lineno} reaches into {node.module}")
        else:
            offered = offered_by(node.module)
            wrong += [
                f"{named(path)}:{node.lineno} {node.module} does not offer {alias.name}"
                for alias in node.names
                if alias.name not in offered
            ]
    assert not wrong


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


@pytest.mark.parametrize("path", files("recsys"), ids=named)
def test_the_library_reads_no_clock(path: Path) -> None:
    wrong = [
        f"{named(path)}:{line} uses {name}; take `as_of` as an argument"
        for line, name in calls(read(path), package_of(path))
        if name in CLOCKS
    ]
    assert not wrong


@every_file
def test_nothing_is_unpickled(path: Path) -> None:
    tree, package = read(path), package_of(path)
    wrong = [
        f"{named(path)}:{line} {name}"
        for line, name in [*imports(tree, package), *calls(tree, package)]
        if name.split(".")[0] in UNSAFE or name in UNSAFE_CALLS
    ]
    wrong += [
        f"{named(path)}:{node.lineno} allow_pickle"
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "allow_pickle"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert not wrong


@pytest.mark.parametrize("path", files(*PACKAGES, "tests", "benchmarks"), ids=named)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


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


@every_file
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(read(path))


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
