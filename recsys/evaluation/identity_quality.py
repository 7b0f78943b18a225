"""Measures how well identifiers are linked into customers, given the true households.

In: the truth (identifier → household) and customers (identifier → customer). Out: precision and
recall of linked pairs. Two identifiers are a linked pair if they have the same customer, and the
pair is correct if they belong to the same household. Called by the demo's self-check and by
``benchmarks/identity.py``, which also measures this module's two simple groupings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recsys.errors import DataError
from recsys.identity import KeyedHash

EMAIL: Final = "email"
RESAMPLES: Final = 500

_KEY = ["type", "value"]
_TRUTH = pa.schema([("type", pa.string()), ("value", pa.string()), ("household_id", pa.string())])

Interval = tuple[float, float]


@dataclass(frozen=True)
class IdentityQuality:
    """Precision and recall of linked pairs, counted over the identifiers of the truth."""

    precision: float
    """Share of linked pairs that are correct; 1 if nothing is linked."""
    precision_interval: Interval
    """95% interval over customers."""
    recall: float
    """Share of true pairs that are linked; 1 if there are none."""
    recall_interval: Interval
    """95% interval over households."""
    linked_pairs: int
    true_pairs: int
    right_pairs: int
    identifiers: int
    """Number of identifiers in the truth."""
    missing: int
    """Of these, how many have no customer; they count as not linked."""


def read_truth(path: Path, keyed: KeyedHash) -> pa.Table:
    """Read the truth, with identifiers hashed as in the history.

    Parameters
    ----------
    path : Path
        CSV with the columns ``type``, ``value`` (raw) and ``household_id``, which is empty for
        shared devices, default cards and test addresses.
    keyed : KeyedHash
        The workspace's keyed hash.

    Returns
    -------
    pa.Table
        ``type, value, household_id``, one row per identifier.

    Raises
    ------
    DataError
        When the file is missing or has other columns.
    """
    try:
        options = pa_csv.ConvertOptions(
            column_types=_TRUTH, strings_can_be_null=True, include_columns=_TRUTH.names
        )
        raw = pa_csv.read_csv(path, convert_options=options)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file. The measurement needs the true households, "
            "as in the demo: `omnibasket demo`."
        ) from None
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        columns = ", ".join(_TRUTH.names)
        raise DataError(f"{path}: not a CSV with the columns {columns}: {error}") from None
    pairs = zip(raw["type"].to_pylist(), raw["value"].to_pylist(), strict=True)
    stored = pa.array([keyed.identifier(kind, value or "") for kind, value in pairs], pa.string())
    known = raw.set_column(1, "value", stored).filter(pc.is_valid(stored))
    return known.group_by(_KEY).aggregate([("household_id", "min")]).rename_columns(_TRUTH.names)


def measure_identity(truth: pa.Table, customers: pa.Table, seed: int = 0) -> IdentityQuality:
    """Compare customers with the truth.

    Parameters
    ----------
    truth : pa.Table
        ``type, value, household_id``, one row per identifier. Every pair with an identifier without
        a household is wrong.
    customers : pa.Table
        ``type, value, customer_id``, one row per identifier. An identifier without a customer is in
        no pair. Identifiers that are not in the truth are left out.
    seed : int
        Seed of the bootstrap.

    Notes
    -----
    Pairs are counted, not listed: n identifiers of one customer and one household are n (n - 1) / 2
    correct pairs, so the sizes of customers, households and their intersections suffice.
    """
    both = truth.select(_TRUTH.names).join(customers.select([*_KEY, "customer_id"]), _KEY)
    n_found = truth.select(_KEY).join(customers.select(_KEY), _KEY, join_type="inner").num_rows
    household, customer = _codes(both["household_id"]), _codes(both["customer_id"])
    n_households, n_customers = (
        int(household.max(initial=-1)) + 1,
        int(customer.max(initial=-1)) + 1,
    )
    true = _pairs(np.bincount(household[household >= 0], minlength=n_households))
    linked = _pairs(np.bincount(customer[customer >= 0], minlength=n_customers))
    has_both = (household >= 0) & (customer >= 0)
    cells, sizes = np.unique(
        np.stack([household[has_both], customer[has_both]]), axis=1, return_counts=True
    )
    right = _pairs(sizes)
    weights = right.astype(np.float64)
    by_household = np.bincount(cells[0], weights, n_households).astype(np.float64)
    by_customer = np.bincount(cells[1], weights, n_customers).astype(np.float64)
    rng = np.random.default_rng(seed)
    return IdentityQuality(
        precision=_share(by_customer.sum(), linked.sum()),
        precision_interval=_interval(by_customer, linked, rng),
        recall=_share(by_household.sum(), true.sum()),
        recall_interval=_interval(by_household, true, rng),
        linked_pairs=int(linked.sum()),
        true_pairs=int(true.sum()),
        right_pairs=int(right.sum()),
        identifiers=truth.num_rows,
        missing=truth.num_rows - n_found,
    )


def by_any_link(links: pa.Table) -> pa.Table:
    """Group identifiers connected by any chain of links, without limits.

    Parameters
    ----------
    links : pa.Table
        ``type_a, value_a, type_b, value_b``: all identifiers observed together.

    Returns
    -------
    pa.Table
        ``type, value, customer_id``.
    """
    nodes, a, b = _nodes(links)
    n = nodes.num_rows
    edges = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    return nodes.append_column("customer_id", pa.array(component).cast(pa.string()))


def by_email(links: pa.Table) -> pa.Table:
    """Group identifiers by the e-mail address they were observed with.

    An identifier observed with several e-mails belongs to the most frequent one, the first by value
    among equals; one observed with none stays alone.

    Parameters
    ----------
    links : pa.Table
        ``type_a, value_a, type_b, value_b, seen``.

    Returns
    -------
    pa.Table
        ``type, value, customer_id``.
    """
    nodes, a, b = _nodes(links)
    is_email = np.asarray(pc.equal(nodes["type"], EMAIL))
    other, email = np.r_[a, b], np.r_[b, a]
    seen = np.tile(links["seen"].to_numpy(), 2)
    chosen = is_email[email] & ~is_email[other]
    pairs, which = np.unique(np.stack([other[chosen], email[chosen]]), axis=1, return_inverse=True)
    times = np.bincount(which.ravel(), seen[chosen], pairs.shape[1])
    # Ascending by frequency, e-mails descending: the last one written is kept.
    order = np.lexsort((-pairs[1], times))
    customer = np.arange(nodes.num_rows)
    customer[pairs[0][order]] = pairs[1][order]
    return nodes.append_column("customer_id", pa.array(customer).cast(pa.string()))


def _nodes(links: pa.Table) -> tuple[pa.Table, NDArray[np.int64], NDArray[np.int64]]:
    """Number the identifiers by type and value; return them and both ends of each link."""
    sides = [links.select([f"type_{side}", f"value_{side}"]).rename_columns(_KEY) for side in "ab"]
    ends = pa.concat_tables(sides).combine_chunks()
    nodes = ends.group_by(_KEY).aggregate([]).sort_by([(key, "ascending") for key in _KEY])
    numbered = nodes.append_column("node", pa.array(np.arange(nodes.num_rows)))
    placed = ends.append_column("at", pa.array(np.arange(ends.num_rows)))
    node = placed.join(numbered, _KEY).sort_by("at")["node"].to_numpy()
    return nodes, node[: links.num_rows], node[links.num_rows :]


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number the values of a column from 0; null is -1."""
    indices = pc.dictionary_encode(column.combine_chunks()).indices
    return np.asarray(pc.fill_null(indices.cast(pa.int64()), -1))


def _pairs(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return sizes * (sizes - 1) // 2


def _share(part: float, total: float) -> float:
    return float(part / total) if total else 1.0


def _interval(
    part: NDArray[np.float64], whole: NDArray[np.int64], rng: np.random.Generator
) -> Interval:
    """Return the 95% bootstrap interval of ``part.sum() / whole.sum()`` over groups."""
    order = np.lexsort((part, whole))  # independent of the order of groups
    order = order[whole[order] > 0]
    part, whole = part[order], whole[order]
    shares = []
    for _ in range(RESAMPLES):
        drawn = rng.poisson(1.0, len(order))  # approximate number of times each group is drawn
        shares.append(_share(float(drawn @ part), float(drawn @ whole)))
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)
