"""Leaves out of a history the customers who do not consent to profiling.

In: a history, and what the ledger knows that customers said. Out: the history that may be learned
from, and of whom nothing else may be. Called by ``training.train``, ``training.tune`` and
``analysis``, before anything is learned or evaluated.
"""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.config import Config, ConsentSettings
from recsys.decisions import Consent, consents_to
from recsys.errors import DataError
from recsys.history import SUMMARY, History
from recsys.ledger.customers.contacts import Said
from recsys.ledger.ledger import Ledger
from recsys.schema import CHANNELS

#: Tables with rows of customers; the others are the same with and without them.
_OF_CUSTOMERS: Final = ("lines", "events", "customers")
_BATCH_ROWS: Final = 50_000
#: The ledger holds nothing that is said in the future.
_EVER: Final = 1 << 62

#: Whether the row of each customer stays.
Keeps = Callable[[pa.Array], pa.Array]


class Learnable(NamedTuple):
    """What may be learned from."""

    history: History
    """Without customers who do not consent: neither their orders, nor their events. The history
    itself where everybody consents."""
    left_out: int
    """Customers who are left out."""
    includes: Callable[[str], bool]
    """Whether a customer, named by any id of theirs, is not left out. An empty text is a visitor
    whom nobody knows."""


def without_refusers(config: Config, history: History) -> Learnable:
    """Return what may be learned from, by what customers consented to.

    A customer is left out unless they consent to profiling on every channel: one model serves all.
    Orders and events that name nobody stay.

    Parameters
    ----------
    config : Config
        ``[consents]`` says what counts for who said nothing.
    history : History

    Returns
    -------
    Learnable
        Its history is a copy beside the tables of ``history``, which is removed with the object.

    Raises
    ------
    LedgerError
        When it cannot be read what customers consent to: then nothing may be learned.
    DataError
        When the copy cannot be written.
    """
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        said = list(ledger.contacts.said_about("profiling"))
    finally:
        ledger.close()
    unsaid = config.consents
    if unsaid.profiling and not said:
        return Learnable(history, 0, lambda _: True)
    named = pq.read_table(history.path("identifiers"), columns=["own_id", "customer_id"])
    named = named.filter(named["customer_id"].is_valid())
    # Who differs from what counts where nothing was said.
    differing = {
        customer_id
        for customer_id, words in _by_customer(said, named).items()
        if _consents(words, unsaid) != unsaid.profiling
    }
    if unsaid.profiling and not differing:
        return Learnable(history, 0, lambda _: True)
    own = named.filter(pc.is_in(named["customer_id"], value_set=_texts(differing)))
    ids = differing.union(own["own_id"].to_pylist())
    digest = hashlib.sha256("\n".join(sorted(differing)).encode()).hexdigest()[:8]
    kept, left_out = _copy(history, _keeper(differing, out=unsaid.profiling), digest)
    return Learnable(kept, left_out, lambda own_id: (own_id in ids) != unsaid.profiling)


def _by_customer(said: Sequence[Said], named: pa.Table) -> dict[str, list[tuple[Consent, ...]]]:
    """Group what was said by the history's customers, through who was linked to them since, too."""
    about = {own_id for one in said for own_id in (one.own_id, one.customer_id or one.own_id)}
    named = named.filter(pc.is_in(named["own_id"], value_set=_texts(about)))
    pairs = zip(named["own_id"].to_pylist(), named["customer_id"].to_pylist(), strict=True)
    customer_of = dict(pairs)
    words: dict[str, list[tuple[Consent, ...]]] = {}
    for one in said:
        ids = {one.own_id, one.customer_id or one.own_id}
        for customer_id in {customer_of.get(own_id, own_id) for own_id in ids}:
            words.setdefault(customer_id, []).append(one.consents)
    return words


def _consents(said: list[tuple[Consent, ...]], unsaid: ConsentSettings) -> bool:
    return all(consents_to(said, "profiling", channel, _EVER, unsaid) for channel in CHANNELS)


def _keeper(differing: Collection[str], *, out: bool) -> Keeps:
    """Return what says of each row's customer whether it stays; of nobody's it does.

    With ``out``, those who differ are left out; otherwise everybody else.
    """
    ids = _texts(differing)

    def keeps(customers: pa.Array) -> pa.Array:
        among = pc.is_in(customers, value_set=ids)
        return pc.or_(customers.is_null(), pc.invert(among) if out else among)

    return keeps


def _copy(history: History, keeps: Keeps, name: str) -> tuple[History, int]:
    """Write the history without some customers, and count those; ``name`` says who they are."""
    known = pq.read_table(history.path("customers"), columns=["customer_id"])["customer_id"]
    left_out = len(known) - int(pc.sum(keeps(known)).as_py() or 0)
    try:
        folder = Path(tempfile.mkdtemp(prefix="learnable-", dir=history.folder))
        of = history.memory_mb, history.threads, history.tables
        copy = History(folder, f"{history.version}-{name}", *of)
        # Holds the history for as long as the copy links to its tables.
        weakref.finalize(copy, _remove, folder, history)
        _fill(copy, history, keeps)
    except OSError as error:
        raise DataError(
            f"{history.folder}: cannot be written: {error.strerror or error}. A copy of the "
            "history without customers who do not consent to profiling is needed here."
        ) from None
    return copy, left_out


def _remove(folder: Path, _held: History) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _fill(copy: History, history: History, keeps: Keeps) -> None:
    """Write the tables of a copy: those with rows of customers anew, links to the others."""
    gone = _orders_gone(history.path("lines"), keeps)
    for name in history.tables:
        if name not in _OF_CUSTOMERS:
            copy.path(name).symlink_to(history.path(name).resolve())
            continue
        with (
            pq.ParquetFile(history.path(name)) as read,
            pq.ParquetWriter(copy.path(name), read.schema_arrow) as written,
        ):
            for batch in read.iter_batches(_BATCH_ROWS):
                kept = keeps(batch["customer_id"])
                if name == "lines":
                    back = pc.is_in(batch["return_of"], value_set=gone)
                    kept = pc.and_(kept, pc.invert(back))
                written.write_batch(batch.filter(kept))
    (copy.folder / SUMMARY).symlink_to((history.folder / SUMMARY).resolve())


def _orders_gone(path: Path, keeps: Keeps) -> pa.Array:
    """Return the orders of who is left out that a return names: it may name nobody itself."""
    returned = pc.unique(pq.read_table(path, columns=["return_of"])["return_of"]).drop_null()
    gone: set[str] = set()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=["order_id", "customer_id"]):
            left = batch.filter(pc.invert(keeps(batch["customer_id"])))
            among = pc.is_in(left["order_id"], value_set=returned)
            gone.update(left["order_id"].filter(among).to_pylist())
    return _texts(gone)


def _texts(texts: Iterable[str]) -> pa.Array:
    return pa.array(sorted(texts), pa.string())
