"""Tests bundles again within channels, regions and seasons.

Bundles come in; out come those parts of the business in which each holds by itself. Called by
``description``.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles import significance
from recsys.bundles.selection import SelectedBundles
from recsys.bundles.tested_sets import LEAST
from recsys.config import BundleSettings as Settings
from recsys.datasets import Baskets, IntArray, IxArray
from recsys.schema import CHANNELS

Floats = npt.NDArray[np.float64]

#: By calendar month, from January on.
SEASONS: Final = ("winter", "spring", "summer", "autumn")
#: Share of all orders that a segment must have.
_SHARE: Final = 0.01


class Segments(NamedTuple):
    """Where bundles hold by themselves; as in ``found.Bundles``."""

    segment_names: npt.NDArray[np.bytes_]
    segment_indptr: IntArray
    segment: IxArray
    segment_support: IxArray
    segment_lift: Floats
    segment_low: Floats
    segment_high: Floats
    segment_q: Floats


#: Names of segments, and which one each order belongs to; -1 for none.
Kind = tuple[list[str], IxArray]


def segment_kinds(baskets: Baskets, regions: Mapping[int, str]) -> list[Kind]:
    """Name channels, regions and seasons, where there are several.

    Parameters
    ----------
    baskets : Baskets
    regions : mapping of int to str
        Name of the region of each location, by ``location_key``.
    """
    found = _channels(baskets), _regions(baskets, regions), _seasons(baskets)
    return [(labels, of) for labels, of in found if len(labels) > 1]


def find_segments(
    found: SelectedBundles, within: Sequence[Kind], usual: Sequence[Floats], settings: Settings
) -> Segments:
    """Test every bundle within every segment that could have its support.

    Parameters
    ----------
    found : SelectedBundles
    within : sequence of Kind
    usual : sequence of ndarray of shape (n, n_groups), float64
        What is expected of each bundle in the segments of each kind.
    settings : recsys.config.settings.BundleSettings
    """
    names: list[str] = []
    rows, segment, support, expected = [], [], [], []
    for (labels, of), by_chance in zip(within, usual, strict=True):
        seen = found.seen(of, len(labels))
        # Chosen by what is expected, not by what was seen, so that the test stays fair.
        lift = found.support / found.expected
        row, group = np.nonzero(by_chance * lift[:, None] >= settings.min_support)
        rows.append(row)
        segment.append(group + len(names))
        support.append(seen[row, group])
        expected.append(np.maximum(by_chance[row, group], LEAST))
        names += labels
    none = np.zeros(0, np.int64)
    row, at, seen_in = (np.concatenate([none, *part]) for part in (rows, segment, support))
    expected_in = np.concatenate([np.zeros(0), *expected])
    repeats = found.repeats[row]
    p_value = significance.at_least(seen_in / repeats, expected_in / repeats)
    q_value = significance.discovery_rates(p_value, len(p_value))
    low, high = significance.interval(seen_in / repeats)
    holds = (q_value <= settings.false_discovery_rate) & (seen_in >= settings.min_support)
    keep = np.flatnonzero(holds)
    keep = keep[np.lexsort((at[keep], row[keep]))]
    scale = (repeats / expected_in)[keep]
    indptr = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.bincount(row[keep], minlength=len(found)), out=indptr[1:])
    return Segments(
        np.array([name.encode() for name in names], np.bytes_),
        indptr,
        at[keep].astype(np.int32),
        seen_in[keep].astype(np.int32),
        (seen_in / expected_in)[keep].astype(np.float32),
        (low[keep] * scale).astype(np.float32),
        (high[keep] * scale).astype(np.float32),
        q_value[keep],
    )


def _channels(baskets: Baskets) -> Kind:
    return _named("channel", list(CHANNELS), baskets.channel.astype(np.int32))


def _regions(baskets: Baskets, regions: Mapping[int, str]) -> Kind:
    labels = sorted(set(regions.values()))
    keys, of = np.unique(baskets.location, return_inverse=True)
    number = {label: at for at, label in enumerate(labels)}
    region = [number[regions[key]] if key in regions else -1 for key in keys.tolist()]
    return _named("region", labels, np.array(region, np.int32)[of.ravel()])


def _seasons(baskets: Baskets) -> Kind:
    month = baskets.ts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    return _named("season", list(SEASONS), ((month + 1) % 12 // 3).astype(np.int32))


def _named(what: str, labels: list[str], of: IxArray) -> Kind:
    """Leave out segments in which next to nothing was bought."""
    many = np.bincount(of[of >= 0], minlength=len(labels))
    some = np.flatnonzero(many >= _SHARE * max(len(of), 1))
    place = np.full(len(labels) + 1, -1, np.int32)
    place[some] = np.arange(len(some))
    return [f"{what}:{labels[at]}" for at in some.tolist()], place[of]
