"""Splits a history per customer, at the last basket, for all customers or for a fold.

In: a history and the customers to evaluate. Out: a window per customer, and a history without data
from these windows on. Called by benchmarks and notebooks; ``splits`` splits by time instead.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from numpy.typing import NDArray

from recsys.datasets import as_numpy, register_table
from recsys.errors import DataError
from recsys.evaluation.splits import Window
from recsys.history import History
from recsys.identity import KeyedHash
from recsys.schema import SALE, TABLES, UTC

#: Parts of a fold file, in order of use.
PARTS: Final = ("train", "val", "test")
#: Sort order of customers' actions as written by an ingest.
_ORDER: Final = {
    "lines": ("occurred_at", "order_id", "line_no"),
    "events": ("occurred_at", "event_id", "item_id"),
}
#: Tables with counts of customers: left empty, because no model learns from them.
_OF_CUSTOMERS: Final = ("customers", "identifiers", "links")


@dataclass(frozen=True, eq=False)
class Windows:
    """A separate window for each of ``n`` customers.

    Attributes
    ----------
    customer_ids : list of str, length n
    start_ts, end_ts : ndarray of shape (n,), int64
        ``[start_ts, end_ts)``, UTC epoch seconds.
    """

    customer_ids: list[str]
    start_ts: NDArray[np.int64]
    end_ts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customer_ids)

    @property
    def hull(self) -> Window:
        """The shortest window that contains all of them."""
        return Window(int(self.start_ts.min(initial=0)), int(self.end_ts.max(initial=0)))

    def __str__(self) -> str:
        return f"their last baskets ({self.hull})"

    def of(self, con: Backend) -> ir.Table:
        """Return ``customer_id, start, end`` as a table in a history's engine."""
        columns = {
            "customer_id": pa.array(self.customer_ids, pa.string()),
            "start": pa.array(self.start_ts * 1_000_000).cast(UTC),
            "end": pa.array(self.end_ts * 1_000_000).cast(UTC),
        }
        return register_table(con, "customers_windows", pa.table(columns))


def last_baskets(
    history: History, customer_ids: Collection[str] | None = None, *, back: int = 0
) -> Windows:
    """Use each customer's last basket as the window.

    Parameters
    ----------
    history : History
    customer_ids : collection of str, optional
        Only these customers.
    back : int
        Baskets to go back; 1 is the last but one, for validation before the last is tested.

    Returns
    -------
    Windows
        From the basket's time until the next basket, for customers with at least one earlier
        basket. Orders at the same second form one basket, so exports with dates only give one
        basket per day.
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        sales = lines.filter(lines.customer_id.notnull() & (lines.kind == SALE))
        orders = sales.group_by("customer_id", "order_id").agg(at=sales.occurred_at.min())
        second = orders.at.epoch_seconds()
        baskets = orders.select("customer_id", at=second).distinct()
        newest = ibis.window(group_by="customer_id", order_by=ibis.desc("at"))
        placed = baskets.mutate(
            place=ibis.row_number().over(newest),
            until=baskets.at.lag().over(newest),
            of=baskets.count().over(ibis.window(group_by="customer_id")),
        )
        chosen = placed.filter((placed.place == back) & (placed.of > back + 1))
        if customer_ids is not None:
            ids = pa.table({"customer_id": pa.array(list(customer_ids), pa.string())})
            chosen = chosen.semi_join(register_table(con, "asked_about", ids), "customer_id")
        latest = con.to_pyarrow(lines.aggregate(at=lines.occurred_at.epoch_seconds().max()))
        table = con.to_pyarrow(chosen.order_by("customer_id"))
    finally:
        con.disconnect()
    end_ts = int(latest["at"][0].as_py() or 0) + 1
    return Windows(
        table["customer_id"].to_pylist(),
        as_numpy(table["at"]).astype(np.int64),
        as_numpy(pc.fill_null(table["until"], end_ts)).astype(np.int64),
    )


def read_folds(
    history: History, path: Path, identifier: str, keyed: KeyedHash
) -> dict[str, list[str]]:
    """Read the customers for training, validation and test.

    Parameters
    ----------
    history : History
    path : Path
        A JSON object with lists of customers under ``train``, ``val`` and ``test``, with ids as in
        the exports.
    identifier : str
        Identifier type of the ids, for example ``account``.
    keyed : KeyedHash
        The workspace's.

    Returns
    -------
    dict of str to list of str
        Sorted customer ids of each part. Customers missing from the history are left out.

    Raises
    ------
    DataError
        When the file cannot be read, a part is missing, or a customer is in two parts.
    """
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        listed = {part: [str(customer) for customer in parts[part]] for part in PARTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a fold file ({error!r}). Write a JSON object with lists of customers "
            f"under {', '.join(PARTS)}."
        ) from None
    table = history.table("identifiers").filter(pc.field("type") == identifier)
    pairs = zip(table["value"].to_pylist(), table["customer_id"].to_pylist(), strict=True)
    customer_of: Mapping[str | None, str] = {value: owner for value, owner in pairs if owner}
    folds = {
        part: {
            customer_of[stored]
            for customer in customers
            if (stored := keyed.identifier(identifier, customer)) in customer_of
        }
        for part, customers in listed.items()
    }
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        if both := folds[first] & folds[second]:
            raise DataError(
                f"{path}: {len(both)} customers are under both `{first}` and `{second}`. "
                "Each customer may be in one part only."
            )
    return {part: sorted(customers) for part, customers in folds.items()}


def cut(history: History, windows: Windows, folder: Path) -> History:
    """Write the history as of the start of each customer's window.

    Parameters
    ----------
    history : History
    windows : Windows
        Customers without a window keep all their data, such as a fold's training customers.
    folder : Path
        Empty, or not yet existing.

    Returns
    -------
    History
        Its files have no data from a customer's window on, so no model can learn from them.
        Identities are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    con = history.connect()
    try:
        own = windows.of(con)
        for name in ("lines", "events"):
            rows = con.table(name)
            known = rows.left_join(own, "customer_id")
            known = known.filter(known.start.isnull() | (known.occurred_at < known.start))
            table = con.to_pyarrow(known.select(*rows.columns).order_by(*_ORDER[name]))
            pq.write_table(table.cast(TABLES[name]), folder / f"{name}.parquet")
    finally:
        con.disconnect()
    for name, schema in TABLES.items():
        path = folder / f"{name}.parquet"
        if name in _OF_CUSTOMERS:
            pq.write_table(schema.empty_table(), path)
        elif name not in ("lines", "events"):
            path.symlink_to(history.path(name).resolve())
    return History(folder, f"{history.version}-cut", history.memory_mb, history.threads)
