"""Time and memory from raw exports to a published artefact, and how both grow with the lines.

The demo workspace's exports are written once, twice, ... over, every copy's customers under
identifiers of their own; the catalogue, the shops and the stock stay as they are. Each size is
ingested and trained by the command line, as whole processes with default settings, one after the
other; beside it, in the same run, implicit's ALS alone fits customers × products (64 factors, 15
rounds, two threads), with reading left out of its time. Goals: at most 8 times the seconds of that
ALS and 3 GB for one copy, and an exponent of seconds over lines of at most 1.05.

    python -m benchmarks.growth [--copies 1,4,16] [--households N] [--folder FOLDER] [--json FILE]
"""

import argparse
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import psutil

from benchmarks._measurement import QUIET
from benchmarks._report import OURS, Report, parser

TASK: Final = "complete_journey"
ALS: Final = "implicit_als"
FACTORS: Final = 64
ROUNDS: Final = 15
THREADS: Final = 2
#: Seconds between two looks at a process's memory.
TICK: Final = 0.05

#: What names a customer, an order or a visitor in each export; what is blocked stays itself.
_BLOCKED: Final = (b"2900000000000",)
_TILL: Final = re.compile(rb"(?m)^(\d+),(\d+,\d+,\d*),([\d ]*),((?:tok_\w+)?),(.*),([^,\n]*)$")
_SHOP: Final = re.compile(rb'(?m)^("?#\d+)("?),([^,\n]*),')
_TOKEN: Final = re.compile(rb"(tok_[0-9a-f]+)")
_SHOP_ID: Final = re.compile(rb",(\d{9,}),")
_EVENT: Final = re.compile(rb'("user_id":"|"user_pseudo_id":"|"string_value":"#)([\w.]+)"')
_REGISTRATION: Final = re.compile(rb"(?m)^((?:A\d+)?),([^,\n]*),([\d ]*),")


def again(tail: bytes) -> dict[str, Callable[[bytes], bytes]]:
    """Return what writes each kind of export once more under other identifiers.

    Parameters
    ----------
    tail : bytes
        Digits of the copy, which every identifier ends in then.

    Returns
    -------
    dict
        By folder or file of the exports.
    """

    def more(name: bytes) -> bytes:
        if not name or name.replace(b" ", b"") in _BLOCKED:
            return name
        return name[:-1] + tail + b'"' if name.endswith(b'"') else name + tail

    def mail(address: bytes) -> bytes:
        quote, name = (b'"', address[1:]) if address.startswith(b'"') else (b"", address)
        name = name.lstrip()
        blocked = not name or name.lower().startswith(b"test@")
        return address if blocked else quote + b"c" + tail + name

    def till(line: re.Match[bytes]) -> bytes:
        ticket, place, card, token, rest, original = line.groups()
        names = (more(ticket), place, more(card), more(token), rest, more(original))
        return b",".join(names)

    def shop(text: bytes) -> bytes:
        text = _SHOP.sub(lambda m: m[1] + tail + m[2] + b"," + mail(m[3]) + b",", text)
        return _SHOP_ID.sub(rb",\g<1>" + tail + b",", _TOKEN.sub(rb"\g<1>" + tail, text))

    def registration(m: re.Match[bytes]) -> bytes:
        return b"%s,%s,%s," % (more(m[1]), mail(m[2]), more(m[3]))

    return {
        "tills": lambda text: _TILL.sub(till, text),
        "shop": shop,
        "events": lambda text: _EVENT.sub(rb"\g<1>\g<2>" + tail + b'"', text),
        "registrations.csv": lambda text: _REGISTRATION.sub(registration, text),
    }


def replicate(exports: Path, into: Path, copies: int) -> None:
    """Write a demo workspace's exports ``copies`` times over, as more files of the same kind."""
    shutil.copytree(exports, into)
    for copy in range(1, copies):
        for kind, change in again(b"%02d" % copy).items():
            source = exports / kind
            if source.is_dir():
                for file in sorted(source.iterdir()):
                    target = into / kind / f"{file.stem}-{copy:02d}{file.suffix}"
                    target.write_bytes(change(file.read_bytes()))
                continue
            _, rows = source.read_bytes().split(b"\n", 1)
            with (into / kind).open("ab") as whole:
                whole.write(change(rows))


class Cost(NamedTuple):
    """What a process took, its children included.

    Attributes
    ----------
    seconds, cpu_seconds : float
    peak_mb : float
        Looked at every ``TICK`` seconds; what the process says of itself where that is more. MiB.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(command: list[str]) -> tuple[Cost, dict[str, Any]]:
    """Run a command that prints JSON, and return what it cost and printed."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as out:
        process = psutil.Popen(command, stdout=out, env={**os.environ, **QUIET})
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, _memory_mb(process))
            time.sleep(TICK)
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"failed: {' '.join(command)}")
        out.seek(0)
        printed: dict[str, Any] = json.loads(out.read())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu, max(peak_mb, printed.get("peak_mb", 0.0))), printed


def exponent(lines: list[int], seconds: list[float]) -> float:
    """Fit ``seconds = a lines ** exponent`` to two sizes or more."""
    return float(np.polyfit(np.log(lines), np.log(seconds), 1)[0])


def main() -> int:
    """Measure, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--copies", default="1,4,16", help="how often the customers are there")
    arguments.add_argument("--households", help="fewer households than the data have")
    arguments.add_argument("--folder", type=Path, help="where to write; a temporary one by default")
    arguments.add_argument("--worker", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.worker:
        return _fit_als(options.worker, options.seed)
    report = Report(
        "Raw exports to a published artefact, beside implicit's ALS alone", ("lightgbm", "numba")
    )
    found: dict[str, list[tuple[int, Cost]]] = {}
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        demo = Path(name) / "demo"
        more = ["--households", options.households] if options.households else []
        print("writing the demo's exports", file=sys.stderr)
        run([*_OMNIBASKET, "demo", "--workspace", str(demo), "--json", *more])
        for copies in sorted({int(number) for number in options.copies.split(",")}):
            print(f"{copies} x: writing", file=sys.stderr)
            workspace = Path(name) / f"x{copies}"
            replicate(demo / "exports", workspace / "exports", copies)
            shutil.copy(demo / "omnibasket.toml", workspace)
            _measure(report, found, workspace, copies, options.seed)
            shutil.rmtree(workspace)
    for method, sizes in found.items():
        if len(sizes) > 1:
            lines = [size for size, _ in sizes]
            for metric, seconds in (
                ("exponent", [cost.seconds for _, cost in sizes]),
                ("cpu_exponent", [cost.cpu_seconds for _, cost in sizes]),
            ):
                report.add(TASK, method, metric, exponent(lines, seconds))
    report.finish(options.json)
    return 0


_OMNIBASKET: Final = [sys.executable, "-m", "training.cli"]


def _measure(
    report: Report,
    found: dict[str, list[tuple[int, Cost]]],
    workspace: Path,
    copies: int,
    seed: int,
) -> None:
    """Ingest, train and fit ALS once."""
    task = f"{TASK}_x{copies}"
    print(f"{copies} x: ingest", file=sys.stderr)
    ingest, history = run([*_OMNIBASKET, "ingest", "--workspace", str(workspace), "--json"])
    lines = int(history["lines"])
    print(f"{copies} x: train, {lines:,} lines", file=sys.stderr)
    forced = ["--force", "--reason", "benchmark", "--set", f"train.seed={seed}"]
    train, _ = run([*_OMNIBASKET, "train", "--workspace", str(workspace), "--json", *forced])
    print(f"{copies} x: ALS", file=sys.stderr)
    worker = ["--worker", str(workspace), "--seed", str(seed)]
    whole, printed = run([sys.executable, "-m", "benchmarks.growth", *worker])
    als = Cost(printed["seconds"], printed["cpu_seconds"], whole.peak_mb)
    both = Cost(
        ingest.seconds + train.seconds,
        ingest.cpu_seconds + train.cpu_seconds,
        max(ingest.peak_mb, train.peak_mb),
    )
    rows = {OURS: both, f"{OURS} ingest": ingest, f"{OURS} train": train, ALS: als}
    told = ", ".join(f"{method} {cost.seconds:.1f} s" for method, cost in rows.items())
    print(f"{copies} x: {told}", file=sys.stderr)
    for method, cost in rows.items():
        for metric, value in cost._asdict().items():
            report.add(task, method, metric, value, n=lines, seed=seed)
        report.add(task, method, "times_als", cost.seconds / als.seconds, n=lines, seed=seed)
        found.setdefault(method, []).append((lines, cost))


def _fit_als(workspace: str, seed: int) -> int:
    """Fit ALS to what a workspace's customers bought, and print the seconds of that alone."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy import sparse

    from recsys.config import load_config
    from recsys.datasets import TrainingSet
    from recsys.history import History

    history = History.open(load_config(Path(workspace)))
    baskets = TrainingSet.read(history, 1 << 40).baskets
    bought = sparse.csr_matrix(baskets.by_customer(np.ones(len(baskets.ts))), dtype=np.float32)
    model = AlternatingLeastSquares(
        factors=FACTORS, iterations=ROUNDS, num_threads=THREADS, random_state=seed
    )
    started, cpu = time.perf_counter(), time.process_time()
    model.fit(bought, show_progress=False)
    taken = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(taken))
    return 0


def _memory_mb(process: psutil.Process) -> float:
    """Memory of a process and all that it started. MiB."""
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # one ended meanwhile
    return float(total / 2**20)


if __name__ == "__main__":
    sys.exit(main())
