"""``omnibasket placements preview``: lists with and without a placement's rules, and their cost.

Reads the settings, the current artefact and the customers of a sample; changes and records nothing.
"""

import random
from collections.abc import Callable
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import msgspec

from recsys.artefacts import registry
from recsys.config import Config, PlacementSettings, load_config
from recsys.errors import DataError
from recsys.evaluation import Comparison, MerchandisingCost, RuleUse, merchandising_cost
from recsys.history import History
from recsys.ledger import Ledger
from recsys.recommender import Engine, Question, find_placement, shift_seconds
from training.console import emit_json, json_option, money, output, table, workspace_option
from training.recommend import Asker, find_now, find_time

#: Customers whose lists are printed side by side.
_SHOWN = 3
#: What is expected is told of so many lists.
_LISTS = 1_000


@click.command(
    "preview",
    epilog="""\b
For example:
  omnibasket placements preview web_home
  omnibasket placements preview store_front --location 367 --sample 500 --as-of 2026-12-24T18:00""",
)
@click.argument("name")
@workspace_option
@click.option(
    "--sample",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    help="Known customers, drawn at random.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same customers.")
@click.option("--location", help="Store or warehouse that the customers would buy from.")
@click.option("--cart", multiple=True, metavar="ITEM", help="A product in the cart; repeatable.")
@click.option("--item", multiple=True, help="A product being looked at; repeatable.")
@click.option("--count", type=click.IntRange(1, 200), help="Items wanted.")
@click.option("--as-of", help="Answer as at this time, ISO 8601; now by default.")
@json_option
def preview(
    name: str,
    workspace: Path,
    sample: int,
    seed: int,
    location: str | None,
    cart: tuple[str, ...],
    item: tuple[str, ...],
    count: int | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Show what the rules and random slots of a placement do, and what they cost.

    Answers known customers twice, without the rules and with them as they are in omnibasket.toml
    now. Tells how much of the lists changes, what that is expected to cost in purchases and in
    margin, which rules acted, and the lists of a few customers side by side.

    An expected purchase is the chance of one by the model, as if every item was looked at. Only
    sales tell the true cost.
    """
    config = load_config(workspace)
    settings = find_placement(config, name)
    engine = Engine.load(registry.current(config))
    as_of_ts = find_time(as_of, shift_seconds(config, engine.manifest))
    now_ts = find_now(config, engine)

    def may_be_asked(asker: Asker) -> bool:
        return not asker.held_to_consents(config, settings, now_ts).no_consent

    askers = _sample(config, sample, seed, as_of_ts, may_be_asked)
    questions = [
        Question(
            placement=name,
            settings=settings,
            as_of_ts=as_of_ts,
            recommendation_id=f"preview-{seed}-{n}",
            count=count,
            location_id=location,
            item_ids=item,
            cart=cart,
            suppression=asker.suppression(config, settings, engine, as_of_ts),
            customer_known=True,
        )
        for n, asker in enumerate(askers)
    ]
    histories = [asker.customer.history for asker in askers]
    cost, pairs = merchandising_cost(engine, questions, histories, seed)
    lists = [
        {"customer_id": asker.customer.customer_id, "before": before, "after": after}
        for asker, (before, after) in zip(askers, pairs, strict=True)
    ]
    # The lists that tell most stand first.
    lists.sort(key=lambda one: -_changes(one))
    if as_json:
        emit_json({**msgspec.structs.asdict(cost), "lists": lists[:_SHOWN]})
    else:
        _show(cost, settings, lists[:_SHOWN])


def _sample(
    config: Config, n: int, seed: int, as_of_ts: int, may_be_asked: Callable[[Asker], bool]
) -> list[Asker]:
    """Draw customers of the history whom the ledger knows, and from whose history may be told."""
    ids = sorted(History.open(config).table("customers")["customer_id"].to_pylist())
    random.Random(seed).shuffle(ids)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    found: list[Asker] = []
    try:
        for customer_id in ids:
            if len(found) == n:
                break
            customer = ledger.customer(customer_id=customer_id, as_of_ts=as_of_ts)
            if customer.customer_id is not None:
                asker = Asker(customer, ledger.contacts.state(customer.customer_id, ""))
                found += [asker] if may_be_asked(asker) else []
    finally:
        ledger.close()
    if not found:
        raise DataError(
            "the ledger knows no customer of the history who consents to its use. Run "
            "`omnibasket ingest`, which brings customers there, or look at [consents]."
        )
    return found


def _changes(one: dict[str, Any]) -> int:
    """Count the places that differ."""
    ids = ([item["item_id"] for item in one[which]["items"]] for which in ("before", "after"))
    return sum(a != b for a, b in zip_longest(*ids))


def _show(
    cost: MerchandisingCost, settings: PlacementSettings, lists: list[dict[str, Any]]
) -> None:
    say = partial(output().print, markup=False)
    if not settings.rules and not settings.random_slots:
        say(f"{cost.placement} has no rules and no random slots: its lists are the same.")
        return
    say(f"{cost.placement} for {cost.n:,} known customers")
    said = f"Lists that change: {cost.changed_lists:,}; places with another product: "
    say(said + f"{cost.changed_items:.1%}.")
    if cost.shortened_lists:
        say(f"Lists that get shorter: {cost.shortened_lists:,}.")
    if cost.drawn:
        say(f"Places drawn at random: {cost.drawn:,}.")
    heads: tuple[str, ...] = (f"of {_LISTS:,} lists", "before", "after", "change", "95% interval")
    output().print(table(heads, _costs(cost), "Expected"))
    for sentence in _remarks(cost):
        say(sentence)
    if cost.rules:
        heads = ("rule", "action", "held", "acted", "items", "left out", "kept out by")
        output().print(table(heads, map(_use, cost.rules)))
    for one in lists:
        _side_by_side(one)


def _costs(cost: MerchandisingCost) -> list[tuple[str, ...]]:
    rows = [_row("purchases", cost.purchases, lambda value: f"{value:,.1f}")]
    if cost.margin is not None and cost.currency is not None:
        write = partial(_write_minor, currency=cost.currency)
        rows.append(_row("margin", cost.margin, write))
    return rows


def _write_minor(value: float, currency: str) -> str:
    return str(money({"amount_minor": round(value), "currency": currency}))


def _row(name: str, found: Comparison, write: Callable[[float], str]) -> tuple[str, ...]:
    before, after, change, low, high = (
        write(value * _LISTS)
        for value in (found.before, found.after, found.change, found.low, found.high)
    )
    share = f" ({found.change / found.before:+.1%})" if found.before > 0 else ""
    return name, before, after, change + share, f"{low} to {high}"


def _remarks(cost: MerchandisingCost) -> list[str]:
    said = []
    if not cost.calibrated:
        said.append("Scores are no chances of purchase until the next `omnibasket train`.")
    if cost.margin is None:
        said.append("No margin is told: no cost is known, or currencies differ.")
    elif min(cost.cost_known_before, cost.cost_known_after) < 1:
        said.append(
            f"Margins are of products with a known cost: {cost.cost_known_before:.0%} before, "
            f"{cost.cost_known_after:.0%} after."
        )
    return said


def _use(rule: RuleUse) -> tuple[object, ...]:
    missed = ", ".join(f"{by or 'nothing fits'} {n}" for by, n in rule.kept_out.items())
    return rule.name, rule.action, rule.held, rule.acted, rule.items, rule.left_out, missed


def _side_by_side(one: dict[str, Any]) -> None:
    after = one["after"]
    why: dict[str, list[str]] = {}
    for rule in after.get("rules", ()):
        for item_id in rule.get("item_ids", ()):
            why.setdefault(item_id, []).append(rule["name"])
    for drawn in after.get("random", ()):
        why.setdefault(drawn["item_id"], []).append(f"drawn, {drawn['propensity']:.3g}")
    places = enumerate(zip_longest(one["before"]["items"], after["items"]), start=1)
    rows = [
        (rank, *_cells(before), *_cells(now), ", ".join(why.get(now["item_id"], ())) if now else "")
        for rank, (before, now) in places
    ]
    heads = ("rank", "before", "title", "score", "after", "title", "score", "by")
    output().print(table(heads, rows, title=f"customer {one['customer_id']}"))


def _cells(item: dict[str, Any] | None) -> tuple[Any, ...]:
    return (None,) * 3 if item is None else (item["item_id"], item["title"], item["score"])
