"""`omnibasket mcp` itself: its options, its environment, its streams, and how it ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.cli import main
from training.mcp import asker_of
from training.mcp.server import INSTRUCTIONS

ROOT = Path(__file__).parents[2]
COMMAND = ["-m", "training.cli", "mcp"]
NOBODY_THERE = "http://127.0.0.1:9"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}


def test_standard_output_is_the_protocol_alone() -> None:
    done = subprocess.run(
        [sys.executable, *COMMAND, "--url", NOBODY_THERE],
        check=False,
        input=json.dumps(HELLO) + "\nno message\n",
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0]["result"]["instructions"] == INSTRUCTIONS
    assert "Nothing can be recommended yet: The service at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OMNIBASKET_IDENTIFIER_TYPE": "email"}, "set both"),
        ({"OMNIBASKET_IDENTIFIER_VALUE": "a@b.example"}, "set both"),
        (
            {
                "OMNIBASKET_CUSTOMER_ID": "c",
                "OMNIBASKET_IDENTIFIER_TYPE": "email",
                "OMNIBASKET_IDENTIFIER_VALUE": "a@b.example",
            },
            "not both",
        ),
    ],
)
def test_a_customer_is_named_once_and_whole(environ: dict[str, str], words: str) -> None:
    result = CliRunner().invoke(main, ["mcp"], env=environ)
    assert result.exit_code == 3
    assert words in result.stderr
    assert "a@b" not in result.output


def test_each_chat_is_a_visit_of_its_own() -> None:
    first, second = (asker_of({}, "web_home", None, None) for _ in range(2))
    assert first.who.keys() == {"session_id"}
    assert first.session_id != second.session_id


def test_a_wrong_address_and_a_missing_package_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["mcp", "--url", "reco.shop.example"])
    assert (result.exit_code, "is no address" in result.stderr) == (2, True)
    monkeypatch.setattr("training.mcp.find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["mcp"])
    assert result.exit_code == 3
    assert "pip install 'omnibasket[mcp]'" in result.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_while_a_client_says_nothing(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, *COMMAND, "--url", NOBODY_THERE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1  # it serves by now
        process.send_signal(how)
        assert process.wait(10) == -how
        assert "Traceback" not in process.stderr.read()
