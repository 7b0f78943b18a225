"""The history of all customers becomes the ledger's rows.

``bring_in`` is called at the end of an ingest and leaves the ledger holding one packed row a
customer, with the live events that came in meanwhile. Rows are read and packed a page at a time,
while those of the page before are compared and written, so memory does not grow with the history.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

import ibis

from recsys.config import ORDER_KINDS, Config
from recsys.data.engine import batches
from recsys.data.history import History
from recsys.matrices.histories import pack
from recsys.matrices.rows import read
from recsys.tracking.ledger import Ledger, Replaced

T = TypeVar("T")

_BATCH_ROWS: Final = 100_000
#: Rows in a page; one has a few hundred bytes, at most 36 kB.
_PAGE: Final = 500
_IDENTIFIER_COLUMNS: Final = ("type", "value", "own_id", "customer_id")


def bring_in(history: History, ledger: Ledger, config: Config, contained: int = 0) -> Replaced:
    """Make the ledger's histories and identifiers those of ``history``.

    Parameters
    ----------
    history : History
        What ingest wrote.
    ledger : Ledger
        Where it goes.
    config : Config
        Says which systems' orders the history holds.
    contained : int
        ``Ledger.mark`` as it was when ingest began to read the live events.

    Raises
    ------
    LedgerError
        When it cannot be written; then nothing has changed.
    """
    systems = {s.system or name for name, s in config.sources.items() if s.kind in ORDER_KINDS}
    return ledger.replace_histories(
        history.version,
        _ahead(((customer_id, pack(row)) for customer_id, row in read(history)), _PAGE),
        identifier_rows(history),
        contained=contained,
        systems=sorted(systems),
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
    """Yield items, while another thread works out the next ``size`` of them."""
    following = iter(items)
    with ThreadPoolExecutor(1, "ahead") as pool:
        coming = pool.submit(lambda: list(islice(following, size)))
        while page := coming.result():
            coming = pool.submit(lambda: list(islice(following, size)))
            yield from page
