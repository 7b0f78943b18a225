"""What a customer buys in the other channel: H&M, one week, as in ``benchmarks.hm_week``.

That script compares one channel alone with both as one history, and holds the data's workspace
and windows; here the peers are asked the same, all of them over both channels. A customer who
crosses both ways is asked about twice, and counts as one when intervals are drawn.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks._measurement import Answer
from benchmarks._problem import Ints, Problem, Purchases, numbered
from benchmarks.tasks.task import Cut, Task, Times, ask_ours, workspace
from recsys.datasets import Lists
from recsys.evaluation import Window
from recsys.schema import CHANNELS

#: ``sales_channel_id`` of the export, by our channel.
CHANNEL_IDS: Final = {"pos": 1, "web": 2}
GET: Final = """{folder}: transactions.parquet and articles.parquet are not there.
`python -m benchmarks.hm_week --data {folder}` says how to get them."""


def there(folder: Path) -> bool:
    """Whether the files are there."""
    return (folder / "transactions.parquet").exists()


def crossing(
    customer: Ints, item: Ints, ts: Ints, sold_on: Ints, window: Window
) -> tuple[Problem, Ints]:
    """Ask those who bought on one channel before a window what they buy on the other in it.

    Parameters
    ----------
    customer, item, ts, sold_on : ndarray of shape (m,), int64
        Every purchase; items are numbered by when they were first sold.
    window : Window

    Returns
    -------
    problem : Problem
        Questions on channel 1 first.
    asked_on : ndarray, int64
        Channel of each question.
    """
    before = ts < window.start_ts
    within = (ts >= window.start_ts) & (ts < window.end_ts)
    bought = Purchases.of(
        int(customer.max(initial=-1)) + 1,
        int(item[before].max(initial=-1)) + 1,
        customer[before],
        item[before],
        ts[before],
        # A customer's articles of one day and channel are one order.
        ts[before] * 4 + sold_on[before],
    )
    asked: list[Ints] = []
    wanted: list[Ints] = []
    asked_on: list[int] = []
    for target in (1, 2):
        known = np.unique(customer[before & (sold_on != target)])
        now = within & (sold_on == target) & np.isin(customer, known)
        who, row = np.unique(customer[now], return_inverse=True)
        lists = Lists.of_pairs(row, item[now], len(who))
        asked.append(who)
        wanted += [lists.row(number).item_ix.astype(np.int64) for number in range(len(who))]
        asked_on += [target] * len(who)
    problem = Problem(bought, np.concatenate(asked), Lists.of_rows(wanted))
    return problem, np.array(asked_on)


def read(folder: Path) -> tuple[Ints, Ints, Ints, Ints, list[str], list[str]]:
    """Read purchases: customer, item, time, channel, and the names of the first two."""
    lines = pq.read_table(folder / "transactions.parquet")
    day = lines["t_dat"]
    if not pa.types.is_temporal(day.type):
        day = day.cast(pa.string()).cast(pa.date32())
    ts = day.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    customer, customers = numbered(lines["customer_id"].cast(pa.string()).to_numpy(), ts)
    articles = pc.utf8_lpad(lines["article_id"].cast(pa.string()), 10, "0")
    item, items = numbered(articles.to_numpy(), ts)
    sold_on = lines["sales_channel_id"].cast(pa.int64()).to_numpy()
    return customer, item, ts, sold_on, customers, items


def cut(folder: Path, _fold: int) -> Cut:
    """Cut the week where ``benchmarks.hm_week`` does."""
    from benchmarks.hm_week import TEST, VALIDATION

    customer, item, ts, sold_on, customers, items = read(folder)
    validation, _ = crossing(customer, item, ts, sold_on, VALIDATION)
    test, _ = crossing(customer, item, ts, sold_on, TEST)
    return Cut(validation, test, customers, items)


def ours(folder: Path, _fold: int, work: Path, known: Cut, places: int) -> Answer:
    """Ingest both channels and answer, each question on its channel."""
    from benchmarks.hm_week import TEST, TOML, VALIDATION

    customer, item, ts, sold_on, _, _ = read(folder)
    problem, asked_on = crossing(customer, item, ts, sold_on, TEST)
    names = {number: CHANNELS.index(name) for name, number in CHANNEL_IDS.items()}
    channel = [names[number] for number in asked_on.tolist()]
    if len(known.test.asked) < len(problem.asked):  # a trial asks for some of them
        questions = list(zip(problem.asked.tolist(), channel, strict=True))
        channel = _of_sample(questions, known.test.asked.tolist())
    workspace(work, TOML.format(folder=folder))
    times = Times(VALIDATION, TEST.start_ts, TEST.start_ts)
    return ask_ours(work, known, times, places, channel)


def _of_sample(questions: list[tuple[int, int]], asked: list[int]) -> list[int]:
    """Channel of each question of a sample, which keeps the order."""
    channels, place = [], 0
    for customer in asked:
        while questions[place][0] != customer:
            place += 1
        channels.append(questions[place][1])
        place += 1
    return channels


TASK: Final = Task(
    name="hm_week",
    folder="hm_week",
    how_to_get_it=GET,
    there=there,
    folds=(0,),
    metrics=("ndcg@12", "recall@12", "hr@12"),
    cut=cut,
    ours=ours,
)
