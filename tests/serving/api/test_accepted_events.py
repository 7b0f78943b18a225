"""Whatever the service accepts, from whomever, the next ingest and training come through with."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recsys.config.toml_file import load_config
from recsys.history.versions import History
from recsys.ledger.api_keys import Grant
from recsys.ledger.ledger import Ledger
from serving.app import create_app
from training.cli import main

TOML = """
[workspace]
currency = "EUR"
[sources.shop]
kind = "order_lines"
path = "shop.csv"
channel = "web"
[sources.shop.columns]
order_id = "order"
occurred_at = "time"
item_id = "sku"
quantity = "qty"
unit_price = "price"
[sources.shop.identifiers]
email = "email"
[train]
test_days = 7
validation_days = 7
peers = []
[ranker]
trees = 0
[models.als]
factors = 4
iterations = 1
[bundles]
min_support = 5
[limits]
address_events_per_hour = 0
"""
PAGE, SERVER = "page", "server"
ITEMS = [f"sku{n}" for n in range(24)]
NOW = datetime.now(UTC).replace(microsecond=0)

ids = st.one_of(
    st.sampled_from(
        [*ITEMS, "junk", "a" * 200, "=cmd|' /C calc'!A0", "\ufeffx", "x\u2028y", "𝕏" * 50]
    ),
    st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable()),
)
items = st.fixed_dictionaries(
    {"item_id": st.one_of(st.sampled_from(ITEMS), ids)},
    optional={
        "quantity": st.one_of(
            st.sampled_from([1, 2, 1025, 1e6, 1e-4, 5e-324]), st.floats(1e-5, 1e6)
        ),
        "price": st.one_of(
            st.sampled_from([0, 1e9, 9.99, {"amount_minor": 2**53, "currency": "EUR"}]),
            st.floats(0, 1e9),
            st.fixed_dictionaries(
                {"amount_minor": st.integers(0, 2**53), "currency": st.sampled_from(["EUR", "QQQ"])}
            ),
        ),
        "item_name": st.text(max_size=4),
        "location_id": ids,
    },
)
times = st.one_of(
    st.just(NOW.isoformat()),
    st.sampled_from(["2000-01-01T00:00:00Z", "2000-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"]),
    st.datetimes(datetime(1999, 1, 1), NOW.replace(tzinfo=None)).map(
        lambda at: at.isoformat() + "Z"
    ),
)
events = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["purchase"] * 3 + ["refund", "view_item", "add_to_cart", "login"]
        ),
        "occurred_at": times,
        "items": st.lists(items, min_size=1, max_size=3),
        "transaction_id": st.one_of(st.sampled_from(["o1", "77", "late"]), ids),
    },
    optional={
        "session_id": st.sampled_from(["v1", "v2", "\u2028"]),
        "channel": st.sampled_from(["web", "pos", "email", "store_screen"]),
        "location_id": ids,
        "currency": st.sampled_from(["EUR", "JPY", "KWD", "QQQ"]),
        "identifier": st.sampled_from(
            [
                {"type": "email", "value": "c1@shop.de"},
                {"type": "email", "value": "@"},
                {"type": "phone", "value": "+"},
                {"type": "zz", "value": "\n"},
            ]
        ),
    },
)
told = st.lists(st.tuples(st.sampled_from([PAGE, SERVER]), events), min_size=16, max_size=48)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty days of a small shop, until now."""
    folder = tmp_path_factory.mktemp("world")
    chosen = random.Random(7)
    rows = ["order,time,sku,qty,price,email"]
    for day in range(40):
        for n in range(6):
            at = f"{NOW - timedelta(days=40 - day):%Y-%m-%d} 10:0{n}:00"
            both = chosen.sample(ITEMS, 2)
            rows += [f"o{day}-{n},{at},{item},1,2.00,c{n + day % 2 * 6}@shop.de" for item in both]
    (folder / "shop.csv").write_text("\n".join(dict.fromkeys(rows)) + "\n")
    (folder / "omnibasket.toml").write_text(TOML)
    run("ingest", folder)
    return folder


def run(command: str, folder: Path) -> None:
    result = CliRunner().invoke(main, [command, "--workspace", str(folder), "--json"])
    assert result.exit_code == 0, result.output


@settings(
    max_examples=2,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a training an example: what fails is told as it is
    suppress_health_check=[*HealthCheck],
)
@given(told=told)
def test_what_is_accepted_is_ingested_and_learned_from(
    world: Path, tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, dict[str, Any]]]
) -> None:
    folder = Path(shutil.copytree(world, tmp_path_factory.mktemp("accepted") / "shop"))
    stored, of_pages = send(folder, told)
    run("ingest", folder)
    history = History.open(load_config(folder))
    live = history.summary["live"] or {"read": 0}
    # Nothing that was accepted is a reject, and everything is accounted for.
    assert not live.get("rejected")
    assert live["read"] == stored
    parts = {name: n for name, n in live.items() if name not in ("read", "confirmed")}
    assert live["read"] == sum(
        sum(n.values()) if isinstance(n, dict) else n for n in parts.values()
    )
    assert live.get("confirmed", 0) + live.get("unconfirmed", 0) == of_pages
    lines = history.table("lines").to_pylist()
    named = {line["order_id"] for line in lines if line["source"] == "live"}
    assert len(named) <= live["read"] - of_pages
    run("train", folder)


def send(folder: Path, told: list[tuple[str, dict[str, Any]]]) -> tuple[int, int]:
    """Send events through the service; count those that were stored, and pages' purchases."""
    config = load_config(folder)
    ledger = Ledger.open(config.ledger_url, currency="EUR")
    grants = {
        PAGE: Grant(scopes=("events",), origins=("https://shop.example",)),
        SERVER: Grant(scopes=("events",)),
    }
    keys = {name: ledger.keys.create(grant, 1)[1] for name, grant in grants.items()}
    ledger.close()
    app = create_app(config, background=False)
    stored = of_pages = 0
    try:
        client = app.test_client()
        for number, (who, event) in enumerate(told):
            body = {**event, "event_id": f"e{number}"}
            if who == PAGE:
                body.pop("identifier", None)
            answer = client.post(
                "/v1/events",
                data=msgspec.json.encode({"events": [body]}),
                headers={"Authorization": f"Bearer {keys[who]}"},
                content_type="application/json",
            )
            assert answer.status_code in (200, 207), answer.text
            (outcome,) = answer.get_json()["events"]
            if outcome["status"] == "accepted" or "was counted" in outcome.get("detail", ""):
                stored += 1
                of_pages += who == PAGE and event["event"] == "purchase"
    finally:
        app.extensions["omnibasket"].close()
    return stored, of_pages
