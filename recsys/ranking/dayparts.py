"""How much better or worse a product sells in stores at a time of day than over the whole day.

Baskets and the time zones of locations come in; a factor for each product and part of the day goes
out. Used for lists that everybody in a store sees; training writes it into the artefact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from recsys.datasets import Floats, IntArray, IxArray
from recsys.schema import CHANNELS
from recsys.units import HOUR

if TYPE_CHECKING:
    # Workers of the service read factors, and load nothing that only training needs.
    from recsys.datasets import Baskets

#: Hour of the local day at which each part begins: morning, noon, afternoon, evening. What is
#: sold before the first belongs to the evening.
BEGINS: Final = (4, 11, 14, 17)
#: Sales that a product is taken to have had, spread over the day as all sales are: one that sold
#: a few times proves nothing.
_PRIOR: Final = 100.0
_POS: Final = CHANNELS.index("pos")


@dataclass(frozen=True, eq=False)
class Dayparts:
    """Factors of products by the part of the day.

    Attributes
    ----------
    lift : ndarray of shape (n_items, len(BEGINS)), float32
        A product's share of the sales of a part of the day, divided by its share of all sales; 1
        where nothing is known. No rows in artefacts of before.
    """

    lift: npt.NDArray[np.float32]

    @classmethod
    def fit(
        cls, baskets: "Baskets", zones: Mapping[int, str], zone: str, prior: float = _PRIOR
    ) -> "Dayparts":
        """Count sales in stores by part of the day.

        Parameters
        ----------
        baskets : Baskets
        zones : mapping of int to str
            Key of each location → its IANA time zone.
        zone : str
            Of the other locations.
        prior : float
            Sales that every product is taken to have had besides.

        Returns
        -------
        Dayparts
        """
        n_items = baskets.items.shape[1]
        part = np.where(
            (baskets.channel == _POS) & (baskets.location != 0),
            _parts(baskets.ts, baskets.location, zones, zone),
            -1,
        )
        sold = baskets.summed(part, len(BEGINS), np.ones(len(baskets.ts))).toarray().T
        of_part = sold.sum(axis=0)
        total = of_part.sum()
        if not total:
            return cls(np.ones((n_items, len(BEGINS)), np.float32))
        share = of_part / total
        of_item = sold.sum(axis=1, keepdims=True)
        expected = np.where(share > 0, share, 1.0)
        lift = (sold + prior * share) / (of_item + prior) / expected
        return cls(np.where(share > 0, lift, 1.0).astype(np.float32))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "Dayparts":
        """Read the factors of an artefact.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As ``arrays`` gives them; without, nothing is known.
        """
        empty = np.empty((0, len(BEGINS)), np.float32)
        return cls(np.asarray(arrays.get("lift", empty), np.float32))

    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the arrays of an artefact."""
        return {"lift": self.lift}

    def at(self, item_ix: IxArray, at_ts: int, zone: str) -> Floats:
        """Return the factors of products at a time.

        Parameters
        ----------
        item_ix : ndarray of shape (m,), int32
            Positions in the catalogue.
        at_ts : int
            UTC epoch seconds.
        zone : str
            IANA time zone of the store.

        Returns
        -------
        ndarray of shape (m,), float64
            1 where nothing is known.
        """
        if not len(self.lift):
            return np.ones(len(item_ix))
        hour = datetime.fromtimestamp(at_ts, ZoneInfo(zone)).hour
        found: Floats = self.lift[item_ix, part_of(hour)].astype(np.float64)
        return found


def part_of(hour: int) -> int:
    """Return the part of the day that an hour belongs to, an index into ``BEGINS``.

    Parameters
    ----------
    hour : int
        0 to 23, local.
    """
    return int(np.searchsorted(BEGINS, hour, side="right") - 1) % len(BEGINS)


def _parts(ts: IntArray, location: IntArray, zones: Mapping[int, str], zone: str) -> IntArray:
    """Return the part of the local day of each order."""
    parts = np.empty(len(ts), np.int64)
    hours, at_hour = np.unique(ts // HOUR, return_inverse=True)
    keys, at_place = np.unique(location, return_inverse=True)
    named = [zones.get(key) or zone for key in keys.tolist()]
    for name in sorted(set(named)):
        info = ZoneInfo(name)
        # Offsets are multiples of a quarter of an hour, so an hour may fall into two local ones:
        # its middle counts.
        local = [
            part_of(datetime.fromtimestamp(int(hour) * HOUR + HOUR // 2, info).hour)
            for hour in hours.tolist()
        ]
        here = np.array([each == name for each in named])[at_place]
        parts[here] = np.array(local, np.int64)[at_hour][here]
    return parts
