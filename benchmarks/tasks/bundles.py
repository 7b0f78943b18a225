"""Our models asked about bundles only: which of them, for a user of items and bundles.

An ingested workspace in which bundles are products comes in, with a cut of users and bundles; an
answer comes out. Every bundle is a candidate, because the models' own candidates would be single
items. Called by ``youshu``, in processes of their own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks._measurement import NEW, TUNED_ON, Answer, peak_mb
from benchmarks._problem import Floats, Ints, Problem, best_of
from benchmarks.baselines.base import stacked
from benchmarks.tasks.task import Cut, customer_ids
from recsys.datasets import Batch, Lists, rows_contain

if TYPE_CHECKING:
    from recsys.history import History
    from recsys.learning import FittedModels
    from recsys.ranking import Blend

#: Users that are scored at once.
BATCH: Final = 100
#: Of each model's scores, the places that weights are learned on.
PER_MODEL: Final = 50

Scored = tuple[Ints, "np.ndarray[tuple[int, int, int], np.dtype[np.float32]]"]


def scored(
    history: "History", fitted: "FittedModels", cut: Cut, problem: Problem, as_of_ts: int
) -> Iterator[Scored]:
    """Score every bundle for every asked user, batch by batch.

    Yields
    ------
    rows : ndarray of shape (b,), int64
        Places of the users in ``problem.asked``.
    scores : ndarray of shape (b, n_bundles, n_models), float32
    """
    from recsys.datasets import EMPTY, Context, Histories, item_keys
    from recsys.datasets import history_rows as rows_of_customers
    from recsys.ranking import MODEL_COLUMNS, score_given

    index = fitted.training.index
    bundles = index.ix(item_keys(cut.items)).astype(np.int32)
    known = np.flatnonzero(bundles >= 0)
    order = known[np.argsort(bundles[known])]
    ids = customer_ids(history, [cut.customers[user] for user in problem.asked.tolist()])
    held = dict(
        rows_of_customers.read_rows(history, until_ts=as_of_ts, customer_ids=sorted(set(ids)))
    )
    for start in range(0, len(ids), BATCH):
        rows = np.arange(start, min(start + BATCH, len(ids)))
        users = [held.get(ids[row], EMPTY) for row in rows]
        histories = Histories.from_rows(users, index, as_of_ts)
        items = Lists.of_rows([bundles[order]] * len(rows))
        context = Context.of(len(rows), as_of_ts)
        found = score_given(fitted.models, Batch(histories, context), items)
        scores = np.zeros((len(rows), len(cut.items), len(MODEL_COLUMNS)), np.float32)
        scores[:, order] = found.scores[:, : len(MODEL_COLUMNS)].reshape(len(rows), len(order), -1)
        yield rows, scores


def choose_bundles(folder: Path, cut: Cut, as_of_ts: int) -> tuple["Blend", float]:
    """Learn what each model's opinion of bundles counts; with the seconds it took."""
    from recsys.ranking import MODEL_COLUMNS, Blend

    started = time.perf_counter()
    history, fitted = _fitted(folder, as_of_ts)
    problem = cut.validation.sample(TUNED_ON, 0)
    owned = problem.owned
    examples: list[np.ndarray] = []
    bought: list[np.ndarray] = []
    whose: list[np.ndarray] = []
    for rows, scores in scored(history, fitted, cut, problem, as_of_ts):
        for row, by_model in zip(rows.tolist(), scores, strict=True):
            first = np.argpartition(-by_model, PER_MODEL, axis=0)[:PER_MODEL]
            items = np.unique(first)
            at = np.full(len(items), row)
            items = items[~rows_contain(owned, at, items)]
            examples.append(by_model[items])
            bought.append(rows_contain(problem.wanted, np.full(len(items), row), items))
            whose.append(np.full(len(items), row))
    blend = Blend(MODEL_COLUMNS).fit(
        np.concatenate(examples), np.concatenate(bought), np.concatenate(whose)
    )
    return blend, time.perf_counter() - started


def answer_bundles(folder: Path, cut: Cut, as_of_ts: int, blend: "Blend", places: int) -> Answer:
    """Learn, and show each user the bundles that they do not have."""
    started = time.perf_counter()
    history, fitted = _fitted(folder, as_of_ts)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    problem, parts = cut.test, []
    for rows, scores in scored(history, fitted, cut, problem, as_of_ts):
        flat = scores.reshape(-1, scores.shape[2])
        totals: Floats = blend.total(blend.evidence(flat), np.ones(scores.shape[2]))
        totals = totals.reshape(len(rows), -1)
        held = problem.purchases.owned[problem.asked[rows]]
        totals[np.repeat(np.arange(len(rows)), np.diff(held.indptr)), held.indices] = -np.inf
        parts.append(best_of(totals, places, -np.inf))
    ms = (time.perf_counter() - started) * 1000 / max(1, len(problem.asked))
    weights = dict(zip(blend.columns, blend.weights_.round(3).tolist(), strict=True))
    return Answer(
        {NEW: stacked(parts)}, {NEW: weights}, len(cut.items), seconds, 0.0, ms, peak_mb()
    )


def _fitted(folder: Path, as_of_ts: int) -> tuple["History", "FittedModels"]:
    from recsys.config import load_config
    from recsys.history import History
    from recsys.learning import fit_models

    config = load_config(folder)
    history = History.open(config)
    return history, fit_models(config, history, as_of_ts)
