"""Writes the history of all customers to the ledger's rows.

``replace_customers`` runs at the end of an ingest and stores one packed row per customer, including
live events received meanwhile. ``packed`` starts as soon as lines and events are written, while the
rest of the history is still being written. It reads and packs rows a few pages ahead of the
comparison, so memory does not grow with the history.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

import ibis

from recsys.config import Config
from recsys.datasets import pack_history, read_rows
from recsys.history import History
from recsys.ledger.ledger import Ledger, ReplacedRows
from recsys.query_engine import batches

T = TypeVar("T")

_BATCH_ROWS: Final = 100_000
#: Rows per page; a row has a few hundred bytes, at most 36 kB.
_PAGE: Final = 500
#: Pages computed in advance.
_PAGES: Final = 4
_IDENTIFIER_COLUMNS: Final = ("type", "value", "own_id", "customer_id")


def packed(history: History) -> Iterator[tuple[str, bytes]]:
    """Start packing every customer's row in a separate thread.

    Parameters
    ----------
    history : History
        Only its lines and events must exist.

    Returns
    -------
    iterator of (customer_id, packed row)
        Sorted by customer_id.
    """
    return _ahead(
        ((customer_id, pack_history(row)) for customer_id, row in read_rows(history)), _PAGE
    )


def replace_customers(
    history: History,
    ledger: Ledger,
    config: Config,
    contained: int = 0,
    rows: Iterator[tuple[str, bytes]] | None = None,
) -> ReplacedRows:
    """Replace the ledger's histories and identifiers by those of ``history``.

    Parameters
    ----------
    history : History
        The history written by the ingest.
    ledger : Ledger
        The ledger to update.
    config : Config
        Its sources determine the systems whose orders are in the history.
    contained : int
        ``Ledger.mark`` before the ingest began to read the live events.
    rows : iterator, optional
        The result of ``packed``, if already started.

    Raises
    ------
    LedgerError
        When it cannot be written; then nothing has changed.
    """
    return ledger.replace_histories(
        history.version,
        packed(history) if rows is None else rows,
        identifier_rows(history),
        contained=contained,
        systems=config.order_systems,
    )


def identifier_rows(history: History) -> Iterator[tuple[str, str, str, str | None]]:
    """Read (type, value, own_id, customer_id) of every identifier, sorted by the first two."""
    con = history.connect()
    try:
        ordered = con.table("identifiers").order_by(ibis._.type, ibis._.value)
        for batch in batches(con, ordered.select(*_IDENTIFIER_COLUMNS), _BATCH_ROWS):
            yield from zip(*(batch[name].to_pylist() for name in _IDENTIFIER_COLUMNS), strict=True)
    finally:
        con.disconnect()


def _ahead(items: Iterable[T], size: int) -> Iterator[T]:
    """Compute the first pages of ``size`` items in another thread; return all items."""
    following = iter(items)
    pool = ThreadPoolExecutor(1, "ahead")

    def more() -> Future[list[T]]:
        return pool.submit(lambda: list(islice(following, size)))

    return _in_order(pool, deque(more() for _ in range(_PAGES)), more)


def _in_order(
    pool: ThreadPoolExecutor, coming: deque[Future[list[T]]], more: Callable[[], Future[list[T]]]
) -> Iterator[T]:
    with pool:
        while page := coming.popleft().result():
            coming.append(more())
            yield from page
