"""Every example that the documents print is run on a small demo, and answers something.

Commands run in a copy of its workspace, calls against its service. What a workspace makes by
itself, such as the id of a bundle, stands for its own. What takes minutes is run as far as
``--dry-run`` goes; what other tests run, or never ends, is named in ``ELSEWHERE``.
"""

import html
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from recsys.config.toml_file import Config, LedgerSettings, load_config
from recsys.ledger.api_keys import Grant
from recsys.ledger.events.event_types import Identifier, seal_identifier
from serving.app import create_app
from serving.state.worker_state import State
from training.cli import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
ADA = Identifier(type="email", value="ada@example.org")

#: Commands that the demo of the tests was made by, and those that go on until they are stopped.
ELSEWHERE = ("demo", "ingest", "serve", "week")
#: Commands that take minutes: what they would do is looked at.
LONG = ("train", "tune")
#: Lists of an answer that may be empty.
MAY_BE_EMPTY = {
    "warnings",
    "refusals",
    "questions",
    "checks",
    "offers",
    "history",
    "segments",
    "settings",
    "offers_by_day",
    "not_in_model_ids",
    "left_out",
    # What the customer of the examples never did.
    "cart",
    "visits",
    "shown",
    "messages",
    "dismissals",
    "consents",
    "holdouts",
}
#: Settings with which most bundles of a small demo are worth a decision.
EASY: dict[str, Any] = {
    "response": (6.0, 12.0),
    "min_month": 0.0,
    "min_lift": 1.0,
    "same_category_above": 0.0,
}
#: Where no JSON is asked for, what an answer without content says.
NOTHING = re.compile(r"^\s*(0 \w+|No .* yet\.?)\s*$", re.MULTILINE)


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Name and text of each block of the languages."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if block[1] in languages:
                line = text[: block.start()].count("\n") + 1
                yield f"{path.relative_to(ROOT)}:{line}", block[2]


def examples(program: str, *languages: str) -> list[Any]:
    """Every call of a program, with the words of its line or lines."""
    found = []
    for name, text in blocks(*languages):
        for part in re.split(r"^(?:\$ )?(?=(?:omnibasket|curl|make) )", text, flags=re.MULTILINE):
            if part.startswith(f"{program} "):
                words = shlex.split(part.replace("\\\n", " "), comments=True)[1:]
                if ">" in words:
                    words = words[: words.index(">")]
                found.append(pytest.param(words, id=f"{name} {' '.join(words)[:60]}"))
    return found


def empty_parts(answer: Any) -> list[str]:
    """Names of lists in an answer that hold nothing, and of counts of them that are 0."""
    if not isinstance(answer, dict):
        return [] if answer else ["all"]
    lists = [name for name, part in answer.items() if part == [] and name not in MAY_BE_EMPTY]
    return lists + [name for name in ("total",) if answer.get(name) == 0]


# ---- commands


@pytest.fixture(scope="module")
def workspace(trained_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo with two versions and two runs, where most bundles pay for themselves."""
    folder = tmp_path_factory.mktemp("examples") / "demo"
    shutil.copytree(trained_demo, folder)
    with (folder / "omnibasket.toml").open("a", encoding="utf-8") as settings:
        # Within [bundles], which ends the file.
        settings.writelines(f"{name} = {json.dumps(said)}\n" for name, said in EASY.items())
    (folder / "orders.csv").write_text(_orders())
    (folder / "online_retail.csv").write_text(_orders())
    (folder / "tuned.toml").write_text("[models.als]\nfactors = 24\n")
    state = folder / ".omnibasket"
    (version,) = (state / "artefacts").glob("2*-*")
    shutil.copytree(version, version.with_name(f"20260302T021507Z-{version.name[-8:]}"))
    (run,) = (state / "runs").iterdir()
    other = run.with_name("20260302T023012Z")
    shutil.copytree(run, other)
    record = json.loads((other / "record.json").read_text())
    (other / "record.json").write_text(json.dumps({**record, "id": other.name}))
    return folder


def _orders() -> str:
    rows = [
        f"{1000 + n},2026-01-{1 + n % 28:02} 10:{n % 60:02}:00,P{n % 7},Thing {n % 7},{1 + n % 3},"
        f"{1 + n % 3}.50,{2 * (1 + n % 3)}.00,c{n % 11}@shop.example"
        for n in range(200)
    ]
    names = "Order ID,Date,Product ID,Title,Quantity,Unit Price,Net Sales,Email"
    return "\n".join([names, *rows]) + "\n"


def adapted(words: list[str], folder: Path) -> list[str]:
    """Put the workspace's own ids in place of those that are printed."""
    artefacts = folder / ".omnibasket" / "artefacts"
    current = json.loads(run(["models", "list", "--json"]).stdout)["versions"]
    (other,) = (one["version"] for one in current if not one["current"])
    runs = sorted(path.name for path in (folder / ".omnibasket" / "runs").iterdir())
    assert (artefacts / other).is_dir()
    stamps = iter(runs)

    def ours(word: str) -> str:
        if re.fullmatch(r"\d{8}T\d{4,6}Z?(-\w{8})?", word):
            return next(stamps) if words[0] == "runs" else str(other)
        if word == "LINK_ID":
            links = json.loads(run(["identity", "links", "--json"]).stdout)["links"]
            return str(links[0]["link_id"])
        if words[:2] == ["keys", "revoke"] and re.fullmatch(r"[a-z0-9]{12}", word):
            keys = json.loads(run(["keys", "list", "--json"]).stdout)
            return str(keys[0]["key_id"])
        return word

    found = [ours(word) for word in words]
    if words[0] in LONG and not {"--dry-run", "--apply"} & set(words):
        found.append("--dry-run")
    return found


def run(words: list[str]) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("words", examples("omnibasket", "console"))
def test_a_command_that_is_shown_answers(
    words: list[str], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words[0] in ELSEWHERE or ({"-w", "shop"} < set(words) and words[0] in LONG):
        pytest.skip("another test runs it")
    monkeypatch.chdir(workspace)
    shutil.rmtree(workspace / "shop", ignore_errors=True)
    asked = adapted(words, workspace)
    result = run(asked)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip()
    assert not NOTHING.search(result.stdout), result.stdout
    if "--csv" in asked:
        assert len(result.stdout.splitlines()) > 1
    elif words[0] in ("bundles", "recommend", "placements", "identity", "runs", "models") and (
        not {"promote", "rollback", "undo", "redo", "preview"} & set(words)
    ):
        answer = json.loads(run([*asked, "--json"]).stdout)
        assert empty_parts(answer) == [], answer


# ---- calls


@pytest.fixture(scope="module")
def config(trained_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    settings = load_config(trained_demo)
    folder = tmp_path_factory.mktemp("calls")
    ledger = shutil.copy(trained_demo / ".omnibasket" / "ledger.sqlite", folder / "ledger.sqlite")
    bundles = msgspec.structs.replace(settings.bundles, **EASY)
    return msgspec.structs.replace(
        settings, ledger=LedgerSettings(url=f"sqlite:///{ledger}"), bundles=bundles
    )


@pytest.fixture(scope="module")
def client(config: Config) -> Iterator[FlaskClient]:
    app = create_app(config, background=False)
    yield app.test_client()
    app.extensions["omnibasket"].close()


@pytest.fixture(scope="module")
def keyed(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same service, where keys are needed, and one that may ask for bundles."""
    path = tmp_path_factory.mktemp("keyed") / "ledger.sqlite"
    shutil.copy(str(config.ledger.url).removeprefix("sqlite:///"), path)
    app = create_app(
        msgspec.structs.replace(config, ledger=LedgerSettings(url=f"sqlite:///{path}")),
        background=False,
    )
    state: State = app.extensions["omnibasket"]
    _, secret = state.ledger.keys.create(Grant(scopes=("marketing",)), state.now_ts())
    state.key_cache._until = 0.0
    yield app.test_client(), secret
    state.close()


def own(text: str, client: FlaskClient) -> str:
    """Put the service's own ids, and prices of its bundles, in place of those that are printed."""
    state: State = client.application.extensions["omnibasket"]
    bundle = client.get("/v1/bundles?kind=together&pays=true&show=all").get_json()["bundles"][0]
    items = [item["item_id"] for item in bundle["items"]]
    text = re.sub(r"\bb[0-9a-f]{15,16}\b", bundle["bundle_id"], text)
    price = bundle["pricing"]["suggested_price"]["amount_minor"]
    text = text.replace('"amount_minor": 449', f'"amount_minor": {price}')
    sealed = seal_identifier(ADA, state.keyed_hash, state.config.identity)
    asked = state.ledger.customer(identifier=sealed, as_of_ts=state.now_ts() + 1)
    assert asked.customer_id
    text = text.replace("4d1c0a5e7b", asked.customer_id)
    if "order_id=1001" in text:
        order = {
            "event_id": "order-1001",
            "event": "purchase",
            "occurred_at": datetime.fromtimestamp(state.now_ts(), UTC).isoformat(),
            "customer_id": asked.customer_id,
            "transaction_id": "1001",
            "items": [{"item_id": items[0]}],
        }
        sent = client.post("/v1/events", json={"events": [order]}).get_json()
        assert sent["refused"] == 0, sent
    if "/offers/" in text or text.endswith("/offers"):
        if bundle["status"] != "approved" or bundle["terms"]["per_customer"] < 9:
            revision = {"If-Match": f'"{bundle["revision"]}"'}
            path = f"/v1/bundles/{bundle['bundle_id']}"
            approved = client.patch(
                path, json={"status": "approved", "per_customer": 9}, headers=revision
            )
            assert approved.status_code == 200, approved.text
        path = f"/v1/customers/{asked.customer_id}/offers"
        made = client.post(path, json={"bundle_id": bundle["bundle_id"]}).get_json()
        text = re.sub(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", made["code"], text)
    # What an order holds that redeems an offer.
    if '"transaction_id"' in text:
        for printed, one in zip(("1082185", "981760"), items, strict=True):
            text = text.replace(f'"item_id": "{printed}"', f'"item_id": "{one}"')
    return text.replace('"1082185", "981760"', ", ".join(f'"{one}"' for one in items))


def call(words: list[str], client: FlaskClient) -> Any:
    """Do what curl would do with these words."""
    method, headers, body, url, fields, rest = None, {}, None, "", [], iter(words)
    as_query = False
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        elif word == "-G":
            as_query = True
        elif word == "--data-urlencode":
            name, _, value = next(rest).partition("=")
            fields.append(f"{name}={quote(value)}")
        elif word == "-c":
            next(rest)
        else:
            assert not word.startswith("-"), word
            url = word
    parts = urlsplit(url if "//" in url else f"//{url}")
    assert parts.netloc == "127.0.0.1:8470"
    query = "&".join([parts.query, *fields] if as_query else [parts.query]).strip("&")
    return client.open(
        parts.path,
        query_string=query,
        method=method or ("POST" if body else "GET"),
        headers=headers,
        data=body,
    )


def check(answer: Any) -> None:
    """An answer that is there, whole, holds something, and does not warn of what was asked."""
    assert answer.status_code in (200, 201), answer.text
    if answer.mimetype == "text/csv":
        assert len(answer.text.splitlines()) > 1
        return
    for line in answer.text.splitlines() if "ndjson" in answer.mimetype else [answer.text]:
        told = json.loads(line)
        assert empty_parts(told) == [], told
        events = told.get("events", [])
        doubts = [one for event in (told, *events) for one in event.get("warnings", [])]
        # An example's date passes.
        assert [one for one in doubts if not one["pointer"].endswith("/occurred_at")] == []
        if "changed" in told:
            assert told["changed"]


@pytest.mark.parametrize("words", examples("curl", "", "console"))
def test_a_call_that_is_shown_answers(words: list[str], client: FlaskClient, keyed: Any) -> None:
    if "omnibasket_…" in " ".join(words):
        other, secret = keyed
        check(call([word.replace("omnibasket_…", secret) for word in words], other))
    else:
        check(call([own(word, client) for word in words], client))


def test_calls_that_the_first_page_shows_answer(client: FlaskClient) -> None:
    page = client.get("/", base_url="http://127.0.0.1:8470").get_data(as_text=True)
    shown = html.unescape("\n".join(re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)))
    calls = re.split(r"^(?=curl )", shown, flags=re.MULTILINE)
    assert len(calls) > 3
    for one in filter(str.strip, calls):
        check(call(shlex.split(one)[1:], client))


@pytest.mark.parametrize("words", [["bundles", "list", "--category", "Dairi"], ["recommend"]])
def test_an_example_that_answers_nothing_is_found(
    words: list[str], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests above see what they are for."""
    monkeypatch.chdir(workspace)
    assert run(words).exit_code == 2
    assert empty_parts({"total": 0, "bundles": []}) == ["bundles", "total"]
    assert NOTHING.search("0 bundles")
