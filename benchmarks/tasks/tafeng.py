"""Ta-Feng as prepared for the next-basket Reality Check: what lies in the next basket.

Baskets have an order but no dates. Time is made up the same way for everyone: a customer's last
basket is worth one week, so every next basket lies in the same week, the one before it a week
earlier, and so on. Histories of all customers may be learned from, and the next baskets of those
who are not asked; customers of ``val`` are for tuning, those of ``test`` for judging.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from benchmarks._measurement import Answer
from benchmarks._problem import DAY, Ints, Problem, Purchases
from benchmarks.baselines.base import Baseline, Show
from benchmarks.baselines.baskets import fit_tifu_knn
from benchmarks.baselines.frequency import fit_gp_top_frequency, fit_own, fit_popular
from benchmarks.tasks.task import Cut, Task, Times, ask_ours, workspace
from recsys.datasets import Lists
from recsys.evaluation import Window

HOW_TO_GET_IT: Final = """{folder}: tafeng_history.json, tafeng_future.json and tafeng_keyset_0.json
to tafeng_keyset_4.json are not there. They are the data of "A next basket recommendation reality
check" (Li et al., 2023): take them from that paper's repository, folders jsondata and keyset."""

WEEK: Final = 7 * DAY
#: A Sunday; the week of every next basket begins here.
NEXT_TS: Final = 1_293_926_400 // WEEK * WEEK


def there(folder: Path) -> bool:
    """Whether the files are there."""
    return (folder / "tafeng_history.json").exists()


def read(folder: Path, fold: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Read histories, next baskets and who is asked in a fold."""
    files = ("tafeng_history", "tafeng_future", f"tafeng_keyset_{fold}")
    texts = ((folder / f"{name}.json").read_text(encoding="utf-8") for name in files)
    history, future, keys = (json.loads(text) for text in texts)
    return history, future, keys


def orders(
    history: dict[str, Any], future: dict[str, Any], taught: set[str]
) -> tuple[list[str], Ints, Ints, Ints]:
    """Lay baskets out in time.

    Parameters
    ----------
    history, future : dict of str to list of lists
        Baskets of each customer between two marks, and the next one.
    taught : set of str
        Customers whose next basket may be known.

    Returns
    -------
    customers : list of str
    customer, item, ts : ndarray of shape (m,), int64
        Places in ``customers``, products, UTC epoch seconds.
    """
    customers = sorted(history, key=int)
    rows: list[tuple[int, int, int]] = []
    for place, name in enumerate(customers):
        baskets = history[name][1:-1]
        for age, basket in enumerate(reversed(baskets), 1):
            rows += [(place, item, NEXT_TS - age * WEEK) for item in basket]
        if name in taught:
            rows += [(place, item, NEXT_TS) for item in future[name][1]]
    customer, item, ts = np.array(rows, np.int64).T
    return customers, customer, item, ts


def problem(
    history: dict[str, Any], future: dict[str, Any], asked: list[str], taught: set[str]
) -> Problem:
    """Ask for the next basket of some customers, knowing that of others.

    Raises
    ------
    ValueError
        When somebody is asked for what is known.
    """
    if taught & set(asked):
        raise ValueError("customers are asked for what was learned from.")
    customers, customer, item, ts = orders(history, future, taught)
    place = {name: number for number, name in enumerate(customers)}
    n_items = int(item.max()) + 1
    bought = Purchases.of(len(customers), n_items, customer, item, ts)
    asked = sorted(asked, key=int)
    wanted = [np.unique(np.array(future[name][1], np.int64)) for name in asked]
    return Problem(bought, np.array([place[name] for name in asked]), Lists.of_rows(wanted))


def cut(folder: Path, fold: int) -> Cut:
    """Make the problem to tune on and the problem to judge on."""
    history, future, keys = read(folder, fold)
    train, val, test = ([str(name) for name in keys[part]] for part in ("train", "val", "test"))
    customers = sorted(history, key=int)
    n_items = int(keys["item_num"])
    return Cut(
        problem(history, future, val, set(train)),
        problem(history, future, test, set(train) | set(val)),
        customers,
        [str(item) for item in range(n_items)],
    )


def cut_as_published(folder: Path, fold: int) -> Cut:
    """Make the problem as the papers have it: nobody's next basket is learned from."""
    history, future, keys = read(folder, fold)
    asked = [str(name) for name in keys["test"]]
    test = problem(history, future, asked, set())
    return Cut(test, test, [], [])


def fit_as_published(purchases: Purchases, seed: int) -> Show:
    """TIFU-KNN as the papers set it for these data; who is asked is nobody's neighbour."""

    def show(asked: Ints, k: int, new_only: bool) -> Lists:
        teachers = np.setdiff1d(np.arange(purchases.n_customers), asked)
        fitted = fit_tifu_knn(purchases, seed, 0.9, 0.7, 7, 300, 0.7, teachers)
        return fitted(asked, k, new_only)

    return show


#: Without decay, as the papers have them.
AS_PUBLISHED: Final = (
    Baseline("popular", partial(fit_popular, half_life_days=None)),
    Baseline("own_frequency", partial(fit_own, half_life_days=None)),
    Baseline("gp_top_frequency", fit_gp_top_frequency),
    Baseline("tifu_knn", fit_as_published),
)


#: Groups that those whose next basket may be known are dealt into.
REHEARSALS: Final = 4

#: The workspace, as the documentation says it is written.
TOML: Final = """
[workspace]
name = "Ta-Feng"
currency = "TWD"

[identity]
plain = ["account"]    # already no person's name

[sources.baskets]
kind = "order_lines"
path = "baskets.csv"
channel = "pos"

[sources.baskets.columns]
order_id = { columns = ["customer", "week"] }
occurred_at = "at"
item_id = "item"
quantity = { value = "1" }
unit_price = { value = "1" }

[sources.baskets.identifiers]
account = "customer"
"""


def export(history: dict[str, Any], future: dict[str, Any], taught: set[str], path: Path) -> None:
    """Write order lines: all histories, and the next baskets of ``taught``, nobody else's."""
    customers, customer, item, ts = orders(history, future, taught)
    table = pa.table(
        {
            "customer": pa.array(customers).take(pa.array(customer)),
            "week": pa.array((ts - NEXT_TS) // WEEK),
            "at": pa.array(ts, pa.timestamp("s")).cast(pa.string()),
            "item": pa.array(item),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pv.write_csv(table, path)


def ours(folder: Path, fold: int, work: Path, known: Cut, places: int) -> Answer:
    """Ingest what may be known, learn ranking on the next baskets of ``train`` and ``val``, answer.

    Learning rehearses answering: those who may be known are dealt into ``REHEARSALS`` groups;
    models know the next baskets of all groups but one and are asked for those of that one. Then
    they know all of them and are asked for those of ``test``.
    """
    history, future, keys = read(folder, fold)
    taught = sorted((str(name) for part in ("train", "val") for name in keys[part]), key=int)
    order = np.random.default_rng(fold).permutation(len(taught))
    workspaces = [(work, history, set(taught))]
    rehearsals = []
    for number in range(REHEARSALS):
        group = {taught[place] for place in order[number::REHEARSALS]}
        knowing, asking = work / f"knowing{number}", work / f"asking{number}"
        workspaces.append((knowing, history, set(taught) - group))
        workspaces.append((asking, {name: history[name] for name in group}, group))
        rehearsals.append((knowing, asking))
    for at, held, knows in workspaces:
        if not (at / "baskets.csv").exists():
            export(held, future, knows, at / "baskets.csv")
        workspace(at, TOML)
    times = Times(Window(NEXT_TS, NEXT_TS + WEEK), NEXT_TS + WEEK, NEXT_TS)
    return ask_ours(work, known, times, places, rehearsals=rehearsals)


TASK: Final = Task(
    name="tafeng",
    folder="tafeng",
    how_to_get_it=HOW_TO_GET_IT,
    there=there,
    folds=(0, 1, 2, 3, 4),
    metrics=("recall@10", "recall@20", "ndcg@10", "ndcg@20", "hr@10"),
    cut=cut,
    ours=ours,
)
#: Checks the harness: the same files and settings as in the papers give the papers' figures.
PUBLISHED: Final = Task(
    name="tafeng_published",
    folder="tafeng",
    how_to_get_it=HOW_TO_GET_IT,
    there=there,
    folds=(0, 1, 2, 3, 4),
    metrics=("recall@10", "recall@20"),
    cut=cut_as_published,
    ours=None,
    baselines=AS_PUBLISHED,
)
