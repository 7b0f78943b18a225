"""The tour: a real service, with requests on every channel and checks of its answers."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from recsys.config.toml_file import Config, load_config
from recsys.history.versions import History
from training.cli import main
from training.tour import CheckError, checks, judge
from training.tour.conversation import Conversation, Turn, question_time, run_conversation
from training.tour.customer import Customer, choose_customer
from training.tour.service import Reply, ServiceError, running

TOUR = [sys.executable, "-m", "training.cli", "tour"]
#: Products of the demo with a minimum age, see ``adult``.
ADULT: list[str] = []
#: A test run in a script's background ignores Ctrl-C, and child processes inherit that.
TOUR_WITH_CTRL_C = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from training.cli import main; main()",
    "tour",
]


@pytest.fixture(scope="module")
def workspace(trained_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A separate demo, because the tour buys something."""
    return Path(shutil.copytree(trained_demo, tmp_path_factory.mktemp("tour") / "demo"))


@contextlib.contextmanager
def one_worker() -> Iterator[None]:
    """Let services load the model once in tests that do not concern loading."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMNIBASKET_SERVE__WORKERS", "1")
        yield


@pytest.fixture(scope="module")
def config(workspace: Path) -> Config:
    return load_config(workspace)


@pytest.fixture(scope="module")
def history(config: Config) -> History:
    return History.open(config)


@pytest.fixture(scope="module")
def customer(config: Config, history: History) -> Customer:
    return choose_customer(config, history)


@pytest.fixture(scope="module", autouse=True)
def adult(history: History) -> None:
    """A product of the demo with a minimum age."""
    said = history.table("products").select(["item_id", "attributes"]).to_pylist()
    ADULT[:] = [row["item_id"] for row in said if "age_restriction" in (row["attributes"] or "")]
    assert ADULT


@pytest.fixture(scope="module")
def conversation(
    workspace: Path, config: Config, history: History, customer: Customer
) -> Iterator[Conversation]:
    from datetime import UTC, datetime

    at = question_time(history, datetime.now(UTC))
    with one_worker(), running(workspace, 0, config.state / "serve.log") as service:
        yield run_conversation(service, customer, at)


def test_every_answer_is_right(
    conversation: Conversation, customer: Customer, config: Config, history: History
) -> None:
    found = checks.of_answers(conversation, customer, config, history)
    assert [check for check in found if not check.passed] == []
    assert customer.email is not None
    assert customer.location_id is not None


Change = Callable[[Conversation], Conversation]


def altered(turn: Turn, change: Callable[[dict[str, Any]], object]) -> Turn:
    body = json.loads(turn.reply.text)
    change(body)
    return dataclasses.replace(turn, reply=Reply(200, {}, json.dumps(body)))


def with_turn(name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda conversation: dataclasses.replace(
        conversation, **{name: altered(getattr(conversation, name), change)}
    )


def with_reply(name: str, reply: Reply) -> Change:
    return lambda conversation: dataclasses.replace(conversation, **{name: reply})


def off_the_shelf(body: dict[str, Any]) -> None:
    body["items"][0]["item_id"] = "never-stocked"


def other_price(body: dict[str, Any]) -> None:
    for item in body["items"]:
        item["price"]["amount_minor"] += 1


def nothing_new(body: dict[str, Any]) -> None:
    for item in body["items"]:
        item["new"] = False


def for_adults(body: dict[str, Any]) -> None:
    body["items"][0]["item_id"] = ADULT[0]


def another_heading(body: dict[str, Any]) -> None:
    body["heading"] = {"code": "goes_with_item", "text": "Goes well with this"}


def of_the_history(body: dict[str, Any]) -> None:
    body["items"][0]["reason"] = {"code": "repeat", "text": "You buy this often"}


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (with_turn("email", lambda body: body["items"].pop()), "as many items as asked for"),
        (with_turn("home", lambda b: b["items"].append(b["items"][0])), "no item twice"),
        (with_turn("home", lambda b: b.update(customer_known=False)), "the customer is known"),
        (with_turn("stranger", lambda b: b.update(fallback=None)), "a fallback that says so"),
        (with_turn("screen", off_the_shelf), "everything is on the shelf"),
        (with_turn("product", nothing_new), "Product page: a share of it is new"),
        (with_turn("cart", nothing_new), "Cart: a share of it is new"),
        (with_turn("stranger", nothing_new), "to a stranger everything is new"),
        (with_turn("home", for_adults), "goods with a minimum age"),
        (with_turn("home", another_heading), "its heading fits every item"),
        (with_turn("email", other_price), "one price in every channel"),
        (with_turn("screen_for_customer", of_the_history), "nothing of a person's history"),
        (with_turn("stranger_cart", lambda b: b["items"].clear()), "what goes with it"),
        (
            lambda conversation: dataclasses.replace(conversation, after=conversation.home),
            "not shown again",
        ),
        (with_reply("purchase", Reply(500, {}, "{}")), "the purchase is accepted"),
        (
            lambda conversation: dataclasses.replace(conversation, repeated=conversation.purchase),
            "counts once",
        ),
        (with_reply("bundles", Reply(500, {}, "{}")), "bundles have their evidence"),
        (lambda conversation: dataclasses.replace(conversation, sale=None), "offered in the cart"),
        (with_reply("bundles_csv", Reply(406, {}, "")), "bundles come as CSV"),
        (with_reply("wrong", Reply(200, {}, "{}")), "answered with its problem"),
        (with_reply("openapi", Reply(200, {}, "{}")), "the API describes itself"),
        (with_reply("docs", Reply(404, {}, "")), "page can be read"),
    ],
)
def test_a_wrong_answer_is_found(
    conversation: Conversation,
    customer: Customer,
    config: Config,
    history: History,
    change: Change,
    failed: str,
) -> None:
    """Tests the checks."""
    found = checks.of_answers(change(conversation), customer, config, history)
    wrong = [check.what for check in found if not check.passed]
    assert any(failed in what for what in wrong), wrong


def test_where_many_are_known_a_bundle_must_be_found(
    conversation: Conversation,
    customer: Customer,
    config: Config,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = dataclasses.replace(
        conversation,
        for_sale=0,
        sale=None,
        bundles=Reply(200, {}, '{"bundles": []}'),
        bundles_csv=Reply(200, {}, "bundle_id\n"),
    )

    def wrong() -> list[str]:
        found = checks.of_answers(nothing, customer, config, history)
        return [check.what for check in found if not check.passed]

    assert wrong() == []
    monkeypatch.setattr(checks, "_MANY", 10)
    assert len(wrong()) == 2


def test_the_check_passes_and_passes_again_after_the_next_ingest(workspace: Path) -> None:
    """The purchases of the first tour are in the history, and do not disturb the second."""
    for _ in range(2):
        result = CliRunner().invoke(main, ["ingest", "-w", str(workspace), "--json"])
        assert result.exit_code == 0, result.output
        arguments = [*TOUR, "-w", str(workspace), "--check", "--json", "--port", "0"]
        tour = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert tour.returncode == 0, tour.stderr
        answer = json.loads(tour.stdout)
        assert all(check["passed"] for check in answer["checks"])
        assert answer["identity"]["recall"] >= 0.99
    summary = json.loads(result.stdout)
    bought = [
        line
        for line in History.open(load_config(workspace)).table("lines").to_pylist()
        if line["source"] == "live"
    ]
    assert bought
    assert summary["changed"]


def test_a_truth_that_is_not_met_fails(workspace: Path, config: Config, tmp_path: Path) -> None:
    history = History.open(config)
    quality = checks.identity(config, history)
    assert all(check.passed for check in checks.of_history(config, history, quality))
    truth = json.loads((workspace / "truth.json").read_text())
    truth["web"]["orders"] += 1
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    elsewhere = msgspec.structs.replace(config, folder=tmp_path)
    found = checks.of_history(elsewhere, history, quality)
    assert [check.what for check in found if not check.passed] == ["history: web: orders"]
    with pytest.raises(CheckError, match=r"1 of .* checks failed:\n  history: web: orders"):
        judge(found)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(workspace: Path, end: signal.Signals) -> None:
    with (
        one_worker(),
        subprocess.Popen(
            [*TOUR_WITH_CTRL_C, "-w", str(workspace), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as tour,
    ):
        assert tour.stdout is not None
        shown = ""
        for line in tour.stdout:
            shown += line
            if "Ctrl-C ends it" in line:
                break
        port = int(re.findall(r"http://127.0.0.1:(\d+)/docs", shown)[0])
        assert "You buy this often" in shown
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
        tour.send_signal(end)
        try:
            _, complaints = tour.communicate(timeout=60)
        finally:
            tour.kill()
    assert tour.returncode == 0, complaints
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_where_keys_are_needed_it_asks_with_one(workspace: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(workspace, tmp_path / "locked"))

    def tell(*command: str, key: str | None = None) -> Result:
        given = {} if key is None else {"OMNIBASKET_API_KEY": key}
        return CliRunner(env=given).invoke(main, [*command, "-w", str(mine)])

    def make(name: str, scopes: str) -> str:
        made = tell("keys", "create", "--name", name, "--scope", scopes, "--json")
        return str(json.loads(made.stdout)["key"])

    weak = make("weak", "recommend")
    for told, key in (
        ("--scope recommend,events,marketing,offers,admin", None),
        ("the key is unknown", "omnibasket_nonsense"),
        ("lacks the scope events, marketing, offers, admin", weak),
    ):
        refused = tell("tour", "--check", "--port", "0", key=key)
        assert refused.exit_code == 3
        assert told in " ".join(refused.stderr.split())
    own = make("tour", "recommend,events,marketing,offers,admin")
    with one_worker():
        tour = subprocess.run(
            [*TOUR, "--json", "--port", "0", "-w", str(mine)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMNIBASKET_API_KEY": own},
        )
    assert tour.returncode == 0, tour.stderr
    wrong = [check for check in json.loads(tour.stdout)["checks"] if not check["passed"]]
    assert [check for check in wrong if "answered" in check["what"]] == []


def test_a_service_that_cannot_start_says_why(workspace: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServiceError, match=f"(?s)ended with code 3.*{port}"),
            running(workspace, port, tmp_path / "serve.log"),
        ):
            pass


def test_a_workspace_without_history_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").touch()
    result = CliRunner().invoke(main, ["tour", "-w", os.fspath(tmp_path)])
    assert result.exit_code == 4
    assert "omnibasket ingest" in result.stderr
