"""What the decisions about contact cost an answer: the same answers with them and without.

One application on a copy of a trained workspace's ledger answers `web_home` for known customers,
without a server: once as it is, with caps, consents, rotation and what is written of
each answer; once with nothing to read of a contact, nothing to decide and nothing to write. Both
take turns, customer by customer, so that whatever else the machine does falls on both. Processor
time of the process, with the writes of the background threads, which are made in the same turn. The
goal is at most 15% more. The interval of the ratio is that of its quartiles. Customers were shown
nothing before at first (`demo`), and then forty products in thirty answers of the last four weeks
(`demo, shown before`).

    python -m benchmarks.contact --workspace FOLDER [--customers N] [--rounds N] [--json FILE]
"""

import contextlib
import gc
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest import mock

import msgspec
import numpy as np
from flask import Flask

from benchmarks._report import OURS, Report, parser
from recsys.config import CapSettings, Config, load_config
from recsys.ledger.customers import CapRules, Showing, StoredContact
from recsys.units import DAY, HOUR
from serving.app import create_app
from serving.state import NO_OBJECTION, Noted, State

#: Answers before the clock starts.
WARM: Final = 40
#: Customers whose showings are written at once, as the background does.
TOGETHER: Final = 20
CAPS: Final = {
    "week": CapSettings(times=10, days=7),
    "messages": CapSettings(times=3, days=7, of="message"),
}
#: Answers that a customer got before, and over how long.
BEFORE, WEEKS = 30, 4
_EMPTY, _NOTHING = StoredContact(), Noted()


def main() -> int:
    """Measure, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--workspace", type=Path, required=True, help="a trained one")
    arguments.add_argument("--customers", type=int, default=200, help="so many of them")
    arguments.add_argument("--rounds", type=int, default=6, help="answers to each, both ways")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        config = _copied(load_config(options.workspace), Path(name))
        report = Report("Processor time of an answer with the decisions about contact", ())
        app = create_app(config, background=False)
        state: State = app.extensions["omnibasket"]
        chosen = np.random.default_rng(options.seed).permutation(
            state.ledger.records.customer_ids()
        )
        asked = chosen[: options.customers].tolist()
        _seconds(app, state, asked[:WARM])
        _measure(report, "demo", app, asked, options.rounds)
        _show_before(app, asked)
        _measure(report, "demo, shown before", app, asked, options.rounds)
        state.close()
    report.finish(options.json)
    return 0


def _copied(config: Config, folder: Path) -> Config:
    """Return settings with caps, and a ledger that may be written, of which nobody saw anything."""
    shutil.copy(config.state / "ledger.sqlite", folder / "ledger.sqlite")
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        ledger.execute("DELETE FROM contacts")
        ledger.commit()
    settings = msgspec.structs.replace(config.ledger, url=f"sqlite:///{folder / 'ledger.sqlite'}")
    return msgspec.structs.replace(config, ledger=settings, caps=CAPS)


def _show_before(app: Flask, customer_ids: list[str]) -> None:
    """Write down that each customer was shown forty products, ten at a time over four weeks."""
    state: State = app.extensions["omnibasket"]
    random = np.random.default_rng(0)
    rules = CapRules(CAPS, state.config.workspace.time_zone, keep_days=WEEKS * 7)
    for customer_id in customer_ids:
        asked = {"placement": "web_home", "customer_id": customer_id, "count": 40, "dry_run": True}
        answer = app.test_client().post("/v1/recommendations", json=asked).get_json()
        products = [item["item_id"] for item in answer["items"]]
        times = state.now_ts() - np.sort(random.integers(HOUR, WEEKS * 7 * DAY, BEFORE))[::-1]
        state.ledger.contacts.show(
            [
                Showing(
                    customer_id=customer_id,
                    channel="web",
                    at_ts=int(at),
                    item_ids=tuple(random.permutation(products)[:10].tolist()),
                )
                for at in times
            ],
            rules,
        )


def _measure(report: Report, task: str, app: Flask, chosen: list[str], rounds: int) -> None:
    state: State = app.extensions["omnibasket"]
    parts = [chosen[at : at + TOGETHER] for at in range(0, len(chosen), TOGETHER)]
    ratios, with_it, without = [], [], []
    gc.disable()
    for turn in range(rounds):
        for number, part in enumerate(parts):
            first = (turn + number) % 2
            spent = {}
            for plain in (bool(first), not first):
                with _without_contact(state) if plain else _as_it_is():
                    spent[plain] = _seconds(app, state, part) / len(part)
            with_it.append(1000 * spent[False])
            without.append(1000 * spent[True])
            ratios.append(spent[False] / spent[True])
    gc.enable()
    quartiles = np.percentile(ratios, [25, 50, 75])
    report.add(task, "without contact", "milliseconds", float(np.median(without)))
    report.add(task, OURS, "milliseconds", float(np.median(with_it)))
    report.add(
        task,
        OURS,
        "ratio",
        float(quartiles[1]),
        low=float(quartiles[0]),
        high=float(quartiles[2]),
        n=len(ratios),
    )


def _seconds(app: Flask, state: State, customer_ids: list[str]) -> float:
    """Answer customers one after the other; return the processor time."""
    client = app.test_client()
    begun = time.process_time()
    for customer_id in customer_ids:
        asked = {"placement": "web_home", "customer_id": customer_id}
        answer = client.post("/v1/recommendations", json=asked)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
    state.flush()
    return time.process_time() - begun


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _without_contact(state: State) -> Iterator[None]:
    """Read nothing of a contact, decide nothing and write nothing of it; exposures stay."""
    policy, contacts = state.contact_policy, state.ledger.contacts
    with (
        mock.patch.object(contacts, "read", return_value=_EMPTY),
        mock.patch.object(policy, "judge", return_value=NO_OBJECTION),
        mock.patch.object(policy, "note_or_say_so", return_value=_NOTHING),
    ):
        yield


if __name__ == "__main__":
    raise SystemExit(main())
