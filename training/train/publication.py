"""Puts what was learned, catalogue, stock and costs into an artefact; makes versions current.

Called by ``train`` and by ``models``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.artefacts import (
    Array,
    Artefact,
    GateDecision,
    Manifest,
    arrays_of,
    check_gate,
    layout,
    registry,
)
from recsys.bundles import Bundles
from recsys.config import Config
from recsys.datasets import EMPTY, ItemIndex, item_key, location_key, map_distinct
from recsys.errors import GateError
from recsys.history import History
from recsys.learning import FittedModels, LearnedRanking
from recsys.ranking import UNKNOWN_MINOR, Availability, Choices, Costs, Dayparts
from recsys.recommender import Engine, Question, all_placements, catalogue
from recsys.values import is_time_zone
from training.train.sales import count_sales


def publish(
    config: Config,
    history: History,
    fitted: FittedModels,
    learned: LearnedRanking,
    bundles: Bundles,
    choices: Choices,
    created: datetime,
    metrics: dict[str, Any],
    details: dict[str, Any],
) -> Path:
    """Write an artefact as a new version, and try it; which one is current stays as it is.

    Parameters
    ----------
    config : Config
    history : History
        Whose catalogue, locations and stock the artefact holds.
    fitted : FittedModels
        On everything.
    learned : LearnedRanking
    bundles : Bundles
    choices : Choices
    created : datetime
        Now, UTC.
    metrics, details : dict
        For the manifest.

    Returns
    -------
    Path
        The artefact's folder.

    Raises
    ------
    ArtefactError
        When it cannot be written, or does not answer; nothing of it is left.
    """
    index = fitted.training.index
    products = _products(history, index)
    parts = {
        layout.PLAIN_BLEND: learned.plain.arrays(),
        layout.CART_BLEND: learned.cart.arrays(),
        layout.SHELF: _shelf(history, index).arrays(),
        layout.COSTS: _costs(history, index, products["cost_minor"]).arrays(),
        layout.SALES: count_sales(history, index, fitted.training.as_of_ts).arrays(),
        layout.CHOICES: choices.arrays(),
        layout.DAYPARTS: _dayparts(config, history, fitted).arrays(),
        layout.BUNDLES: bundles.arrays(),
    }
    boosted = fitted.boosted(learned)
    if boosted is not None:
        parts |= {
            layout.STATISTICS: boosted.statistics.arrays(),
            layout.PLAIN_TREES: boosted.plain.arrays(),
            layout.CART_TREES: boosted.cart.arrays(),
        }
    arrays: dict[str, Array] = arrays_of(fitted.models)
    for part, named in parts.items():
        arrays |= {f"{part}.{name}": array for name, array in named.items()}
    as_of = datetime.fromtimestamp(fitted.training.as_of_ts, UTC)
    manifest = Manifest(
        created=created,
        as_of=as_of,
        fingerprint=history.version,
        settings={
            "models": msgspec.to_builtins(config.models),
            "ranker": msgspec.to_builtins(config.ranker),
            "bundles": msgspec.to_builtins(config.bundles),
            "train": msgspec.to_builtins(config.train),
            "checks": msgspec.to_builtins(config.checks),
            "publish": msgspec.to_builtins(config.publish),
            "placements": msgspec.to_builtins(all_placements(config)),
        },
        metrics=metrics,
        details={
            "workspace": config.workspace.name,
            "exported": history.summary.get("exported", {}),
            **details,
        },
    )
    locations = history.table("locations").to_pydict()
    columns = catalogue.tables(index, products, locations)
    return registry.add(config, arrays, manifest, columns, check=lambda a: _try(config, a))


def _dayparts(config: Config, history: History, fitted: FittedModels) -> Dayparts:
    """Count what sells in stores at which time of their day."""
    locations = history.table("locations").to_pydict()
    named = zip(locations["location_id"], locations["time_zone"], strict=True)
    zones = {location_key(name): zone for name, zone in named if zone and is_time_zone(zone)}
    return Dayparts.fit(fitted.training.baskets, zones, config.workspace.time_zone)


def make_current(
    config: Config,
    version: str,
    *,
    at: datetime,
    by: str,
    reason: str = "",
    force: bool = False,
    action: Literal["published", "promoted"] = "promoted",
) -> tuple[bool, GateDecision]:
    """Make a version current if the gate lets it pass, or is forced.

    Parameters
    ----------
    config : Config
    version : str
        As ``registry.find`` takes it.
    at : datetime
        Now, UTC.
    by, reason, action : str
        For the log.
    force : bool
        Whatever the gate says.

    Returns
    -------
    done : bool
        Whether it is current now.
    verdict : GateDecision

    Raises
    ------
    ArtefactError
        When there is no such version, or it is damaged.
    ConfigError
        When ``[publish]`` names what is not measured.
    """
    verdict = GateDecision([], "It is current already.", [])

    def allow(new: Manifest, old: Manifest | None) -> list[str]:
        nonlocal verdict
        verdict = check_gate(new, old, config.publish)
        if verdict.refusals and not force:
            raise GateError("; ".join(verdict.refusals))
        return verdict.refusals

    try:
        registry.promote(config, version, at=at, by=by, reason=reason, action=action, allow=allow)
    except GateError:
        return False, verdict
    return True, verdict


def _try(config: Config, artefact: Artefact) -> None:
    """Ask a new artefact one question for each placement; an error stops the publication."""
    engine = Engine(artefact, config.stock)
    as_of_ts = int(artefact.manifest.as_of.timestamp())
    questions = [
        Question(placement=name, settings=settings, as_of_ts=as_of_ts)
        for name, settings in all_placements(config).items()
    ]
    engine.recommend(questions, [EMPTY] * len(questions))


def active_of(history: History, index: ItemIndex) -> npt.NDArray[np.bool_]:
    """Say which products of an index are sold; those of which nothing is said are."""
    return np.array([value is not False for value in _products(history, index)["active"]], bool)


def _products(history: History, index: ItemIndex) -> dict[str, list[Any]]:
    """Columns of the products table in the order of the index.

    Where there are product exports, a product that none of them names is not active: it was
    sold once, and is no longer in the catalogue.
    """
    table = history.table("products")
    listed = table["in_catalogue"]
    # What the back office told of single products is no list of all there are.
    if "products" in history.summary.get("exported", ["products"]) and pc.any(listed).as_py():
        table = table.set_column(
            table.schema.get_field_index("active"), "active", pc.and_(table["active"], listed)
        )
    at = pc.index_in(pa.array(index.item_ids, pa.string()), value_set=table["item_id"])
    return {name: table[name].take(at).to_pylist() for name in table.column_names}


def _shelf(history: History, index: ItemIndex) -> Availability:
    stock, locations, item_ix = _stock(history, index)
    return Availability.build(
        active_of(history, index),
        locations,
        item_ix,
        stock["on_hand"].to_numpy(),
        reserved=_floats(stock, "reserved"),
        reported_ts=_seconds(stock, "reported_at"),
    )


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64] | None:
    """Return a column, NaN where unknown; None where a history of before lacks it."""
    if name not in table.column_names:
        return None
    return np.asarray(pc.fill_null(table[name], np.nan).to_numpy(), np.float64)


def _seconds(table: pa.Table, name: str) -> npt.NDArray[np.int64] | None:
    """Return times, UTC epoch seconds; 0 where unknown, None where a history of before lacks it."""
    if name not in table.column_names:
        return None
    seconds = table[name].cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64())
    return np.asarray(pc.fill_null(seconds, 0).to_numpy(), np.int64)


def _costs(history: History, index: ItemIndex, cost_minor: list[int | None]) -> Costs:
    """What products cost, and where a location's stock says something else."""
    of_item = np.array([UNKNOWN_MINOR if cost is None else cost for cost in cost_minor], np.int64)
    stock, locations, item_ix = _stock(history, index)
    local = pc.fill_null(stock["cost_minor"], UNKNOWN_MINOR).to_numpy()
    other = local != of_item[item_ix]
    return Costs.build(of_item, locations[other], item_ix[other], local[other])


def _stock(
    history: History, index: ItemIndex
) -> tuple[pa.Table, npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Rows of stock of products of the catalogue, with their locations and positions."""
    stock = history.table("stock")
    item_ix = index.ix(map_distinct(stock["item_id"], item_key))
    known = np.flatnonzero(item_ix >= 0)
    stock = stock.take(known)
    return stock, map_distinct(stock["location_id"], location_key), item_ix[known]
