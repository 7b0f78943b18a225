"""Writes the tables of figures in README.md and docs from the results in ``benchmarks/results``.

A table stands between ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``. ``make figures``
writes all of them; a test fails while a document differs from the results. To renew a table, run
its benchmark on a quiet machine with ``--json benchmarks/results/NAME.json``.

    python -m benchmarks._figures [--check]
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results"
DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK: Final = re.compile(
    r"(<!-- figures: (?P<name>\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL
)

Figures = dict[tuple[str, str], float]


def main() -> int:
    """Write the tables; with ``--check`` only say which documents differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if so")
    check = parser.parse_args().check
    differing = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        written = with_tables(text)
        if written == text:
            continue
        differing += 1
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if not check:
            path.write_text(written, encoding="utf-8")
    return int(check and differing > 0)


def with_tables(text: str) -> str:
    """Return a document with every table of figures made anew.

    Raises
    ------
    KeyError
        When a document names a table that is none of ``TABLES``.
    """
    return _BLOCK.sub(lambda block: block[1] + TABLES[block["name"]]() + block[3], text)


def read(name: str) -> dict[str, Any]:
    """Return a benchmark's results: ``machine`` and ``rows``, as ``_report.Report`` writes them."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _figures(name: str) -> Figures:
    """Return the values of a benchmark with one task: (method, metric) → value."""
    return {(row["method"], row["metric"]): row["value"] for row in read(name)["rows"]}


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(line)} |\n" for line in (heading, *rows))
    return "".join((head, f"|{'---|' * len(heading)}\n", *body))


def _share(value: float, digits: int = 3) -> str:
    """Write a number of at most 1 without the zero in front: ``.059``."""
    return f"{value:.{digits}f}".removeprefix("0")


def _one_history() -> str:
    found = _figures("hm_week")
    methods = {
        "one channel alone": "one_channel",
        "unified": "omnibasket",
        "most popular, for comparison": "popular",
        "own frequency over both, for comparison": "own_frequency",
    }
    rows = []
    for label, method in methods.items():
        values = [
            _share(found[method, "ndcg@12"]),
            _share(found[method, "recall@12"]),
            f"{found[method, 'hr@12']:.1%}",
        ]
        bold = [f"**{value}**" for value in values] if method == "omnibasket" else values
        rows.append((label, *bold))
    return _table(("history", "NDCG@12", "recall@12", "customers with a hit"), rows)


#: Every table by its name.
TABLES: Final[dict[str, Callable[[], str]]] = {
    "one_history": _one_history,
}

if __name__ == "__main__":
    sys.exit(main())
