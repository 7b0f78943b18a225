"""A grocer small enough to know by heart, ingested, trained on and served by the real code."""

import functools
import http.server
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from flask import Flask, Response, current_app, request
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from recsys.config.toml_file import Config, LedgerSettings, load_config
from serving.app import create_app
from serving.http import PROBLEM_TYPE
from serving.schemas.openapi import operation_of
from serving.state.worker_state import State
from training.cli import main

TOML = """
[workspace]
name = "Corner shop"
currency = "EUR"
[sources.till]
kind = "order_lines"
path = "sales.csv"
[sources.till.columns]
order_id = "ticket"
location_id = "store"
channel = "channel"
[sources.till.identifiers]
loyalty_card = "card"
email = "email"
[sources.items]
kind = "products"
path = "items.csv"
[sources.items.columns]
bottle = "bottle"
[sources.shelf]
kind = "stock"
path = "stock.csv"
[train]
test_days = 7
validation_days = 7
[models.als]
factors = 8
iterations = 3
[placements.tablet]
channel = "associate"
count = 3
[placements.tasting]
channel = "web"
count = 24
age_restricted = true
"""
#: What goes together; the second half of a pair is bought with the first two times in three.
PAIRS = [("pasta", "sauce"), ("bread", "butter"), ("beer", "crisps"), ("tea", "milk")]
OTHERS = [f"item{n:02}" for n in range(16)]
ITEMS = [item for pair in PAIRS for item in pair] + OTHERS
TITLES = {
    "butter": "=Butter",
    "milk": "Milk <img src=x onerror=document.title='hacked'>",
    "sauce": "Sauce, tomato",
}
#: Address, picture, code, age and bottle of a few.
SAID = {
    "pasta": "https://shop.example/p/pasta,https://cdn.example/pasta.jpg,4006381333931,,",
    "beer": "https://shop.example/p/beer,javascript:document.title='hacked',,,returnable glass",
    "item15": ",,,16,",
    "tea": ",https://cdn.example/tea.jpg,,,",
}
#: Has a minimum age; the placement `tasting` alone shows it.
ADULT = "item15"
LAST_DAY = datetime(2026, 3, 1, 18, tzinfo=UTC)
SOLD_OUT = "sauce"


def email(number: int) -> str:
    return f"c{number}@shop.example.org"


def _sales() -> str:
    """Forty customers, sixty days; each has two pairs they like, and every third shops online."""
    chosen = random.Random(7)
    lines = ["ticket,occurred_at,channel,store,card,email,item_id,quantity,unit_price"]
    ticket = 0
    for day in range(60):
        for customer in range(40):
            if chosen.random() > 0.25:
                continue
            ticket += 1
            online = customer % 3 == 0 and chosen.random() < 0.5
            at = LAST_DAY - timedelta(days=59 - day, minutes=customer)
            first, second = PAIRS[(customer + day % 2) % len(PAIRS)]
            basket = {first, chosen.choice(OTHERS)}
            basket |= {second} if chosen.random() < 0.67 else set()
            place = "web,online" if online else f"pos,S{customer % 2 + 1}"
            who = f",{email(customer)}" if online or customer % 5 == 0 else f"card{customer},"
            if customer % 5 == 0:
                who = f"card{customer},{email(customer)}"
            begin = f"t{ticket},{at:%Y-%m-%dT%H:%M:%SZ},{place},{who}"
            lines += [f"{begin},{item},1,1.50" for item in sorted(basket)]
    return "\n".join(lines) + "\n"


def _items() -> str:
    rows = [
        f'{item},"{TITLES.get(item, item.title())}",1.50,{SAID.get(item, ",,,,")}' for item in ITEMS
    ]
    names = "item_id,title,price,url,image_url,gtin,age_restriction,bottle"
    return "\n".join([names, *rows]) + "\n"


def _stock() -> str:
    rows = [f"{s},{item},{0 if item == SOLD_OUT else 9}" for s in ("S1", "S2") for item in ITEMS]
    return "\n".join(["location_id,item_id,on_hand", *rows]) + "\n"


def run(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace with its history, artefact and ledger; nobody changes it."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "omnibasket.toml").write_text(TOML)
    (folder / "sales.csv").write_text(_sales())
    (folder / "items.csv").write_text(_items())
    (folder / "stock.csv").write_text(_stock())
    run("ingest", "--workspace", str(folder))
    run("train", "--workspace", str(folder))
    return folder


@pytest.fixture
def workspace(shop: Path, tmp_path: Path) -> Path:
    """A copy of the workspace that may be changed."""
    return Path(shutil.copytree(shop, tmp_path / "shop"))


@pytest.fixture
def config(shop: Path, tmp_path: Path) -> Config:
    """The workspace's settings, with a ledger that may be changed; nobody counted or erased."""
    settings = load_config(shop)
    for file in ("rates", "erasures.jsonl"):
        (settings.state / file).unlink(missing_ok=True)
    ledger = shutil.copy(shop / ".omnibasket" / "ledger.sqlite", tmp_path / "ledger.sqlite")
    return msgspec.structs.replace(settings, ledger=LedgerSettings(url=f"sqlite:///{ledger}"))


Serve = Callable[[Config], Flask]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Make applications, and close them at the end of the test.

    Whatever they answer must be documented: programs are generated from the document.
    """
    made: list[Flask] = []
    undocumented: list[str] = []

    def check(response: Response) -> Response:
        operation = operation_of(current_app.view_functions.get(request.endpoint or "", check))
        if operation is not None and request.method != "OPTIONS":
            told: str | int = response.status_code
            if response.mimetype == PROBLEM_TYPE:
                told = response.get_json()["type"].rpartition("#")[2]
            if told not in (*operation.answers, *operation.every_problem):
                undocumented.append(f"{request.method} {request.path}: {told}")
        return response

    def make(config: Config) -> Flask:
        app = create_app(config, background=False)
        app.after_request(check)
        made.append(app)
        return app

    yield make
    for app in made:
        state(app).close()
    assert not undocumented


@pytest.fixture
def app(config: Config, serve: Serve) -> Flask:
    return serve(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def state(app: Flask) -> State:
    held: State = app.extensions["omnibasket"]
    return held


def ask(client: FlaskClient, placement: str = "web_home", **fields: Any) -> dict[str, Any]:
    """Ask for recommendations; the answer must be one."""
    answer = client.post("/v1/recommendations", json={"placement": placement, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def known(number: int) -> dict[str, Any]:
    """How a request names a customer who has an e-mail."""
    return {"identifier": {"type": "email", "value": email(number)}}


def bought(event_id: str, *items: str, **fields: Any) -> dict[str, Any]:
    """A purchase as a shop reports it."""
    return {
        "event_id": event_id,
        "event": "purchase",
        "occurred_at": LAST_DAY.isoformat(),
        "transaction_id": event_id,
        "items": [{"item_id": item, "price": 1.5} for item in items],
        **fields,
    }


#: The tests with a browser need Chromium, which Debian's package brings.
NEEDED = os.environ.get("OMNIBASKET_TEST_BROWSER") == "needed"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not NEEDED,
    reason="no Chromium was found: install Debian's package `chromium` to run these",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 1400})
    yield context.new_page()
    context.close()


Start = Callable[[Any], str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve applications and folders over HTTP, each under an origin of its own."""
    running: list[Any] = []

    def begin(what: Flask | Path) -> str:
        if isinstance(what, Flask):
            server: Any = make_server("127.0.0.1", 0, what, threaded=True)
        else:
            handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=what)
            handler.log_message = lambda *_: None  # type: ignore[attr-defined]
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def origin(app: Flask, start: Start) -> str:
    """Where the application is served."""
    return start(app)


@pytest.fixture
def troubles(page: Page) -> Iterator[list[str]]:
    """What scripts of a page failed at, calls that were refused aside; nothing, at the end."""
    found: list[str] = []

    def note(line: ConsoleMessage) -> None:
        if line.type == "error" and "Failed to load resource" not in line.text:
            found.append(line.text)

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", note)
    yield found
    assert not found
