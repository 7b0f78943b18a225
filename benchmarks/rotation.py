"""What rotation gains where customers tire of what they ignored, and costs where they do not.

Made-up customers who come back every few days to a list of ten, and click on what they like; each
showing that they ignored lowers the odds of a click by a planted factor, which wears off. The decay
is learned from the clicks on lists without rotation, by ``decisions.fit_rotation``, and other
customers of the same kind are then shown lists without rotation, with the default, with what was
learned, and with the planted truth. Clicks are counted as expected, not as drawn.

    python -m benchmarks.rotation [--customers 2000] [--json FILE]
"""

import itertools
import sys
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks._report import Report, parser
from recsys.config import RotationSettings
from recsys.datasets import Floats, IntArray
from recsys.decisions import PastShowings, fit_rotation

#: Factors on the odds of each ignored showing; 1: nobody tires.
PLANTED: Final = (1.0, 0.9, 0.8, 0.6, 0.4)
CANDIDATES, PLACES, VISITS = 60, 10, 12
#: Between two visits, on average; days.
GAP_DAYS: Final = 4.0
#: Of the log-odds of a click: mean, standard deviation, and what each doubling of the place takes.
INTEREST, SPREAD, PLACE = -3.0, 1.0, 0.3
#: Of those who clicked, so many buy, and are not shown the product again.
BUY: Final = 0.3


class Visit(NamedTuple):
    """What all customers were shown at once: customer x place."""

    shown: IntArray
    tired: Floats
    clicked: npt.NDArray[np.bool_]


def main() -> int:
    """Plant, learn and show."""
    made = parser(__doc__)
    made.add_argument("--customers", type=int, default=2_000)
    options = made.parse_args()
    report = Report("What rotation gains and costs, by the decay that was planted")
    for planted in PLANTED:
        measure(report, planted, options.customers, options.seed)
    report.finish(options.json)
    return 0


def measure(report: Report, planted: float, customers: int, seed: int) -> None:
    """Learn one planted decay, and add what lists are worth to the report."""
    default = RotationSettings()
    half_life, task = default.half_life_days, f"planted {planted:g}"
    rng = np.random.default_rng(seed)
    before, _ = show(rng, planted, 1.0, customers, half_life)
    found = fit_rotation(showings(before), default.decay)
    low, high = (found.decay * np.exp(side * 1.96 * found.log_decay_error) for side in (-1, 1))
    report.add(task, "learned", "decay", found.decay, low=low, high=high, n=found.showings)
    plain = None
    for method, decay in (
        ("none", 1.0),
        ("default", default.decay),
        ("learned", found.decay),
        ("planted", planted),
    ):
        seen, clicks = show(np.random.default_rng(seed + 1), planted, decay, customers, half_life)
        plain = clicks if plain is None else plain
        report.add(task, method, "clicks", clicks, n=customers, seed=seed)
        report.add(task, method, "gain", clicks / plain - 1, n=customers, seed=seed)
        report.add(task, method, "changed", changed(seen), n=customers, seed=seed)


def show(
    rng: np.random.Generator, planted: float, decay: float, customers: int, half_life_days: float
) -> tuple[list[Visit], float]:
    """Show lists that rotate by ``decay`` to customers who tire by ``planted``.

    Returns
    -------
    visits : list of Visit
    clicks : float
        Expected for each customer.
    """
    rows = np.arange(customers)[:, None]
    interest = rng.normal(INTEREST, SPREAD, (customers, CANDIDATES))
    tired, bought = np.zeros(interest.shape), np.zeros(interest.shape, bool)
    visits, clicks = [], 0.0
    place = -PLACE * np.log2(np.arange(1, PLACES + 1))
    for _ in range(VISITS):
        tired *= 2.0 ** (-rng.exponential(GAP_DAYS, (customers, 1)) / half_life_days)
        order = np.where(bought, -np.inf, interest + tired * np.log(decay))
        shown = np.argsort(-order, axis=1, kind="stable")[:, :PLACES]
        odds = interest[rows, shown] + tired[rows, shown] * np.log(planted) + place
        chance = 1.0 / (1.0 + np.exp(-odds))
        clicked = rng.random(chance.shape) < chance
        visits.append(Visit(shown, tired[rows, shown], clicked))
        clicks += float(chance.sum()) / customers
        tired[rows, shown] = np.where(clicked, 0.0, tired[rows, shown] + 1.0)
        bought[rows, shown] |= clicked & (rng.random(chance.shape) < BUY)
    return visits, clicks


def showings(visits: list[Visit]) -> PastShowings:
    """Lay visits out as what to learn from."""
    customers = len(visits[0].shown)
    series = np.concatenate(
        [(np.arange(customers)[:, None] * CANDIDATES + each.shown).ravel() for each in visits]
    )
    tired = np.concatenate([each.tired.ravel() for each in visits])
    clicked = np.concatenate([each.clicked.ravel() for each in visits])
    place = np.tile(np.arange(1, PLACES + 1), customers * len(visits))
    return PastShowings(series, tired, place, clicked)


def changed(visits: list[Visit]) -> float:
    """Share of each list that was not in the one before."""
    shares = [
        1 - np.mean([np.isin(new, old).mean() for new, old in zip(b.shown, a.shown, strict=True)])
        for a, b in itertools.pairwise(visits)
    ]
    return float(np.mean(shares))


if __name__ == "__main__":
    sys.exit(main())
