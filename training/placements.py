"""``omnibasket placements``: what each placement is set to, whether that can work, and a dry run.

Reads the settings and the current artefact; changes and records nothing.
"""

from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import msgspec

from recsys.artefacts import registry
from recsys.config import PLACEMENTS, Config, PlacementSettings, load_config
from recsys.decisions import PlacementEffects, describe_rule
from recsys.errors import ConfigError
from recsys.recommender import Engine, Question, all_placements, find_placement, shift_seconds
from recsys.recommender import check_placement as findings
from training.console import emit_json, json_option, output, table, workspace_option
from training.placement_preview import preview
from training.recommend import Asker, find_customer, find_now, find_time


@click.group()
def command() -> None:
    """Look at placements, check them, and try them out without the service."""


@command.command("list")
@workspace_option
@json_option
def list_placements(workspace: Path, as_json: bool) -> None:
    """List placements with their settings, and where each comes from."""
    config = load_config(workspace)
    rows = [
        {"placement": name, "from": _origin(config, name), "settings": _set(settings)}
        for name, settings in all_placements(config).items()
    ]
    if as_json:
        emit_json(rows)
        return
    cells = [
        (row["placement"], _written(row["settings"]), row["from"])  # type: ignore[arg-type]
        for row in rows
    ]
    output().print(table(("placement", "settings", "from"), cells))


@command.command()
@workspace_option
@json_option
def check(workspace: Path, as_json: bool) -> None:
    """Hold the placements against the current artefact.

    Finds values in filters that no product has, filters that leave nothing, counts that cannot be
    reached, and weights for which no chances of purchase were learned. Ends with 3 where a
    placement cannot do what it is meant to.
    """
    config = load_config(workspace)
    engine = Engine.load(registry.current(config), stock=config.stock)
    found = [
        finding
        for name, settings in all_placements(config).items()
        for finding in findings(engine, name, settings)
    ]
    errors = sum(finding.level == "error" for finding in found)
    if as_json:
        emit_json({"model_version": engine.version, "errors": errors, "findings": found})
    elif found:
        rows = [(one.placement, one.level, one.text) for one in found]
        output().print(table(("placement", "", "what"), rows))
    else:
        output().print(f"All placements fit model {engine.version}.", markup=False)
    if errors:
        raise ConfigError(f"{config.folder / 'omnibasket.toml'}: {errors} settings cannot work.")


@command.command(
    "try",
    epilog="""\b
For example:
  omnibasket placements try web_cart --cart 1082185
  omnibasket placements try email_weekly --identifier email=ada@example.org --count 5""",
)
@click.argument("name")
@workspace_option
@click.option("--customer-id", help="An id that was given out at any time.")
@click.option("--identifier", metavar="TYPE=VALUE", help="Such as email=ada@example.org.")
@click.option("--session", help="Id of a visit; its cart is used unless --cart is given.")
@click.option("--location", help="Store or warehouse that the customer would buy from.")
@click.option("--cart", multiple=True, metavar="ITEM", help="A product in the cart; repeatable.")
@click.option("--item", multiple=True, help="A product being looked at; repeatable.")
@click.option("--count", type=click.IntRange(1, 200), help="Items wanted.")
@click.option("--as-of", help="Answer as at this time, ISO 8601; now by default.")
@json_option
def try_out(
    name: str,
    workspace: Path,
    customer_id: str | None,
    identifier: str | None,
    session: str | None,
    location: str | None,
    cart: tuple[str, ...],
    item: tuple[str, ...],
    count: int | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Show what a placement would answer, without the service and without a record.

    Where its settings were edited after the current model was made, the answer with the settings
    of that time stands beside it.
    """
    if customer_id is not None and identifier is not None:
        raise click.UsageError("give --customer-id or --identifier, not both.")
    config = load_config(workspace)
    settings = find_placement(config, name)
    engine = Engine.load(registry.current(config), stock=config.stock)
    before = _before(engine, name)
    as_of_ts = find_time(as_of, shift_seconds(config, engine.manifest))
    asker = Asker()
    if customer_id or identifier or session:
        asker = find_customer(config, customer_id, identifier, session, as_of_ts)
        asker = asker.held_to_consents(config, settings, find_now(config, engine))
    customer = asker.customer
    used = [settings] if before in (None, settings) else [settings, before]
    questions = [
        Question(
            placement=name,
            settings=one,
            as_of_ts=as_of_ts,
            count=count,
            location_id=location,
            item_ids=item,
            cart=cart or tuple(customer.visit.cart if one.personal else ()),
            suppression=asker.suppression(config, one, engine, as_of_ts),
            customer_known=asker.is_known,
        )
        for one in used
        if one is not None
    ]
    answers = engine.recommend(questions, [customer.history] * len(questions))
    after = None if len(answers) < 2 else answers[1]
    if as_json:
        emit_json({"settings": _set(settings), "now": answers[0], "before": after})
    else:
        _show(settings, before, answers[0], after)


command.add_command(preview)


def _before(engine: Engine, name: str) -> PlacementSettings | None:
    """Settings that a placement had when the artefact was made; None where there was none."""
    stored = engine.manifest.settings.get("placements", {}).get(name)
    try:
        return None if stored is None else msgspec.convert(stored, PlacementSettings)
    except msgspec.ValidationError:  # written by a version whose settings were others
        return None


def _origin(config: Config, name: str) -> str:
    if name not in config.placements:
        return "built in"
    return "omnibasket.toml, for the built-in one" if name in PLACEMENTS else "omnibasket.toml"


def _set(settings: PlacementSettings) -> dict[str, Any]:
    """Return the settings that are not at their defaults."""
    plain = msgspec.structs.asdict(PlacementSettings(channel=settings.channel))
    given = msgspec.structs.asdict(settings)
    return {
        name: value for name, value in given.items() if name == "channel" or value != plain[name]
    }


def _written(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in settings.items())


def _value(value: Any) -> str:
    """A setting in few words: of rules their actions and names."""
    if isinstance(value, list):
        return "; ".join(f"{rule.action} `{rule.name}`" for rule in value)
    return str(value)


def _show(
    settings: PlacementSettings,
    before: PlacementSettings | None,
    now: dict[str, Any],
    then: dict[str, Any] | None,
) -> None:
    say = partial(output().print, markup=False)
    whom = "a known customer" if now["customer_known"] else "a stranger"
    say(f"{now['placement']} for {whom} at {now['as_of']}, model {now['model_version']}")
    say(f"Settings: {_written(_set(settings))}")
    if then is None:
        heads: tuple[str, ...] = ("rank", "item", "title", "score", "reason")
        rows = [_cells(shown) for shown in now["items"]]
    else:
        say(f"Before, as when the model was made: {_written(_set(before or settings))}")
        heads = ("rank", "now", "title", "score", "reason", "before", "title", "score", "reason")
        empty = (None,) * 5
        rows = [
            (rank, *(_cells(a) if a else empty)[1:], *(_cells(b) if b else empty)[1:])
            for rank, (a, b) in enumerate(zip_longest(now["items"], then["items"]), start=1)
        ]
    output().print(table(heads, rows))
    for which, answer in (("", now), ("before: ", then)):
        if answer is not None and answer["fallback"]:
            say(f"{which}No personal answer could be given; this is `{answer['fallback']}`.")
        for rule in PlacementEffects.of(answer).rules if answer is not None else ():
            say(which + describe_rule(rule)["text"])
        out = {} if answer is None else answer["left_out"]
        if reasons := ", ".join(f"{rule.replace('_', ' ')} {n}" for rule, n in out.items() if n):
            say(f"{which}Left out: {reasons}.")


def _cells(shown: dict[str, Any]) -> tuple[Any, ...]:
    reason = (shown.get("reason") or {}).get("text")
    return (shown["rank"], shown["item_id"], shown.get("title"), shown["score"], reason)
