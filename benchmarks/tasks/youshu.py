"""Which bundle for which user: Youshu, with the files of BGCN and CrossCBR.

Users took bundles (train, tune, test) and single items; bundles are made of items. As in those
papers, only ``train`` is learned from, settings are chosen on ``tune``, and the bundles of
``train`` are not shown again. Peers see users and bundles; ours sees items, too: bundles and
items are products of one catalogue, a user's are one order, and each bundle with its items is
the order of nobody in particular. There are no times, so everything happens on one day.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from benchmarks._measurement import Answer, apart
from benchmarks._problem import Ints, Problem, Purchases
from benchmarks.baselines import BASELINES
from benchmarks.baselines.base import Baseline
from benchmarks.tasks.bundles import answer_bundles, choose_bundles
from benchmarks.tasks.task import Cut, Task, workspace
from recsys.datasets import Lists

GET: Final = """{folder}: user_bundle_train.txt and the other files are not there. They are in
the repository of CrossCBR (Ma et al., 2022), folder datasets/Youshu."""
DAY_TS: Final = 1_577_836_800
#: Peers that need neither order nor time.
_TIMELESS: Final = (
    "popular",
    "implicit_als",
    "implicit_bpr",
    "implicit_cosine",
    "implicit_tfidf",
    "implicit_bm25",
    "ease",
    "rusket",
    "lightfm",
)
BUNDLE, ITEM = "bundle-", "item-"

TOML: Final = """
[workspace]
name = "Youshu"
currency = "CNY"

[identity]
plain = ["account"]

[sources.taken]
kind = "order_lines"
path = "taken.csv"
channel = "web"

[sources.taken.columns]
order_id = "order"
occurred_at = "at"
item_id = "product"
quantity = { value = "1" }
unit_price = { value = "1" }

[sources.taken.identifiers]
account = "user"

[sources.contents]
kind = "order_lines"
path = "contents.csv"
channel = "web"

[sources.contents.columns]
order_id = "order"
occurred_at = "at"
item_id = "product"
quantity = { value = "1" }
unit_price = { value = "1" }
"""


def there(folder: Path) -> bool:
    """Whether the files are there."""
    return (folder / "user_bundle_train.txt").exists()


def pairs(path: Path) -> tuple[Ints, Ints]:
    """Read tab-separated pairs of numbers."""
    first, second = np.loadtxt(path, np.int64, delimiter="\t", ndmin=2).T
    return first, second


def problem(taken: tuple[Ints, Ints], wanted: tuple[Ints, Ints], n: tuple[int, int]) -> Problem:
    """Ask users who took bundles which others they took."""
    user, bundle = taken
    users, row = np.unique(wanted[0], return_inverse=True)
    bought = Purchases.of(*n, user, bundle, np.zeros(len(user), np.int64))
    return Problem(bought, users, Lists.of_pairs(row, wanted[1], len(users)))


def cut(folder: Path, _fold: int) -> Cut:
    """Learn from ``train`` alone, as the papers do; tune on ``tune``, judge on ``test``."""
    users, bundles, _ = np.loadtxt(folder / "Youshu_data_size.txt", np.int64)
    n = (int(users), int(bundles))
    train, tune, test = (
        pairs(folder / f"user_bundle_{part}.txt") for part in ("train", "tune", "test")
    )
    return Cut(
        problem(train, tune, n),
        problem(train, test, n),
        [str(user) for user in range(n[0])],
        [f"{BUNDLE}{bundle}" for bundle in range(n[1])],
    )


def export(folder: Path, work: Path) -> None:
    """Write what users took, and what bundles hold, as orders."""
    user, bundle = pairs(folder / "user_bundle_train.txt")
    taker, item = pairs(folder / "user_item.txt")
    of, part = pairs(folder / "bundle_item.txt")
    work.mkdir(parents=True, exist_ok=True)
    users = np.append(user, taker)
    products = [f"{BUNDLE}{one}" for one in bundle] + [f"{ITEM}{one}" for one in item]
    _write(work / "taken.csv", users, products, with_user=True)
    held = np.append(np.unique(of), of)
    products = [f"{BUNDLE}{one}" for one in np.unique(of)] + [f"{ITEM}{one}" for one in part]
    _write(work / "contents.csv", held, products, with_user=False)


def _write(path: Path, order: Ints, products: list[str], *, with_user: bool) -> None:
    columns = {
        "order": pa.array(order),
        "at": pa.array(np.full(len(order), DAY_TS), pa.timestamp("s")).cast(pa.string()),
        "product": pa.array(products),
    }
    if with_user:
        columns["user"] = pa.array(order)
    pv.write_csv(pa.table(columns), path)


def ours(folder: Path, _fold: int, work: Path, known: Cut, places: int) -> Answer:
    """Ingest users, items and bundles, choose weights on ``tune``, and answer."""
    if not (work / "contents.csv").exists():
        export(folder, work)
    workspace(work, TOML)
    blend, seconds = apart(choose_bundles, work, known, DAY_TS + 1)
    answer: Answer = apart(answer_bundles, work, known, DAY_TS + 1, blend, places)
    answer.tune_seconds = seconds
    return answer


def timeless(baseline: Baseline) -> Baseline:
    """Do not tune how fast purchases are forgotten."""
    axes = {
        name: (None,) if name == "half_life_days" else tried
        for name, tried in baseline.axes.items()
    }
    return Baseline(baseline.name, baseline.fit, axes, baseline.needs, baseline.package)


TASK: Final = Task(
    name="youshu_bundles",
    folder="youshu_bundles",
    how_to_get_it=GET,
    there=there,
    folds=(0,),
    metrics=("new_recall@20", "new_recall@40", "new_ndcg@20", "new_ndcg@40"),
    cut=cut,
    ours=ours,
    baselines=tuple(timeless(baseline) for baseline in BASELINES if baseline.name in _TIMELESS),
    always_new=True,
)
