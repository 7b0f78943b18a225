"""A shop whose baskets are mined, by us and by others.

An ingested workspace comes in; bundles and rules come out, with what the benchmark's parts ask of
them. Called by the parts of ``benchmarks.bundles``. Others mine in processes of their own and are
given up after a time.
"""

import importlib.util
import sys
import time
from dataclasses import replace
from functools import cached_property
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

from benchmarks._measurement import apart
from benchmarks.baselines.rules import METHODS, Rules
from recsys.bundles import AFTER, TOGETHER, Bundles, mine
from recsys.config import Config
from recsys.datasets import EncodedHistory, TrainingSet
from recsys.history import History
from recsys.models import Content
from recsys.ranking import ItemSimilarity

Ints = npt.NDArray[np.int64]

#: As many bundles as are found.
ALL: Final = 100_000


class Shop:
    """A workspace whose baskets are mined.

    Parameters
    ----------
    name : str
        Task, in the report.
    config : Config
    limit_seconds : float
        After which another method is given up.
    """

    def __init__(self, name: str, config: Config, limit_seconds: float) -> None:
        self.name = name
        self.config = config
        self.limit_seconds = limit_seconds

    @cached_property
    def numbers(self) -> EncodedHistory:
        """The history, read once."""
        return EncodedHistory.read(History.open(self.config))

    @cached_property
    def training(self) -> TrainingSet:
        """Everything that was bought."""
        return self.between(None, end_ts(self.numbers))

    def between(self, since_ts: int | None, until_ts: int) -> TrainingSet:
        """Read what was bought in a period."""
        threads = self.config.train.threads
        return TrainingSet.read(self.numbers, until_ts, since_ts=since_ts, threads=threads)

    def mine(self, training: TrainingSet, similarity: ItemSimilarity | None = None) -> Bundles:
        """Mine with the workspace's settings, without an end to the list."""
        settings = msgspec.structs.replace(self.config.bundles, max_bundles=ALL)
        return mine(training, settings, similarity=similarity)

    def rules(self, method: str, items: sparse.csr_array, min_support: int) -> Rules | None:
        """Let another method mine; None, and a word, where it is not there or too slow."""
        if importlib.util.find_spec(method) is None:
            self.say(f"{method} is not installed: pip install 'omnibasket[bench]'")
            return None
        try:
            found: Rules = apart(
                METHODS[method], items, min_support, within_seconds=self.limit_seconds
            )
        except (ChildProcessError, RuntimeError, TimeoutError) as error:
            self.say(f"{method} is left out: {error}")
            return None
        return found

    def say(self, text: str) -> None:
        """Tell on standard error how far it is."""
        print(f"{time.strftime('%H:%M:%S')} {self.name}: {text}", file=sys.stderr, flush=True)


def end_ts(numbers: EncodedHistory) -> int:
    """Return when everything was bought."""
    return int(numbers.lines.ts.max()) + 1


def bare(training: TrainingSet, items: sparse.csr_array) -> TrainingSet:
    """Put other products into the baskets; what they are, and what else was done, is not told."""
    baskets = replace(training.baskets, items=items)
    return replace(training, baskets=baskets, products=None, interactions=None)


def similarity_of(config: Config, training: TrainingSet) -> ItemSimilarity:
    """Say which products are one thing, as a training does."""
    return ItemSimilarity.of(Content(config.models.content).fit(training))


def kinds(found: Bundles) -> dict[str, int]:
    """Count pairs, larger sets, and what is bought one after the other."""
    size = np.diff(found.indptr)
    together = found.kind == TOGETHER
    return {
        "pairs": int((together & (size == 2)).sum()),
        "sets": int((together & (size > 2)).sum()),
        "after": int((found.kind == AFTER).sum()),
    }


def pairs_of(found: Bundles, kind: int = TOGETHER) -> tuple[Ints, Ints]:
    """Return the pairs of a kind, strongest evidence first.

    Those that are bought together ascend; of others ``a`` is bought first.
    """
    rows = np.flatnonzero((found.kind == kind) & (np.diff(found.indptr) == 2))
    first = found.indptr[rows]
    return found.item_ix[first].astype(np.int64), found.item_ix[first + 1].astype(np.int64)


def interval(seen: int, n: int) -> tuple[float, float]:
    """Between which shares one lies that was seen so often, in 95 of 100 cases [1]_.

    References
    ----------
    .. [1] Clopper, Pearson (1934), The use of confidence or fiducial limits, Biometrika.
    """
    low = float(stats.beta.ppf(0.025, seen, n - seen + 1)) if seen else 0.0
    return low, float(stats.beta.ppf(0.975, seen + 1, n - seen)) if seen < n else 1.0
