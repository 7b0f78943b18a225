"""A chat's own client, over standard input and output, with a real service behind the tools.

What a tool answers is what the service answers, no more; and no argument of a tool names anybody.
"""

import http.server
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import msgspec
import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

from tests.serving.conftest import SOLD_OUT, email, shop
from training.cli import main
from training.mcp.asker import Asker
from training.mcp.server import INSTRUCTIONS, call, schema_of
from training.mcp.service import Service, ToolError
from training.mcp.tools import TOOLS, Tools
from training.tour.service import Service as Running
from training.tour.service import running

__all__ = ["shop"]

ROOT = Path(__file__).parents[3]
COMMAND = ["-m", "training.cli", "mcp"]
#: Is offered a bundle, and is signed in to the chat.
ADA = {"identifier_type": "email", "identifier_value": email(0)}
NOBODY = Asker("web_home", "chat-1", "S1")


class World(NamedTuple):
    """A service that needs keys."""

    service: Running
    workspace: Path
    customer_id: str

    def get(self, path: str) -> Any:
        answer = self.service.get(path)
        assert answer.status == 200, answer.text
        return answer.body

    def key(self, *options: str) -> str:
        """Make a key that the service knows."""
        made = ["keys", "create", "--workspace", str(self.workspace), "--json", *options]
        result = CliRunner().invoke(main, made)
        assert result.exit_code == 0, result.output
        key: str = json.loads(result.stdout)["key"]
        for _ in range(100):
            if replace(self.service, key=key).get("/v1/recommendations").status != 401:
                break
            time.sleep(0.05)
        return key


@pytest.fixture(scope="module")
def world(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The corner shop, serving, with an offer that stands for one customer, and keys."""
    folder = tmp_path_factory.mktemp("chat")
    workspace = Path(shutil.copytree(shop, folder / "shop"))
    with (workspace / "omnibasket.toml").open("a") as settings:
        settings.write('[placements.chat]\nchannel = "web"\ncount = 4\noffers = 1\n')
    with running(workspace, 0, folder / "serve.log") as service:
        asked = f"/v1/offers?identifier_type=email&identifier_value={email(0)}"
        customer_id = service.get(asked).body["customer_id"]
        bundles = service.get("/v1/bundles?item_id=bread&show=all").body["bundles"]
        bundle_id = next(
            each["bundle_id"]
            for each in bundles
            if {item["item_id"] for item in each["items"]} == {"bread", "butter"}
        )
        terms = {"status": "approved", "price": {"amount_minor": 250, "currency": "EUR"}}
        assert service.patch(f"/v1/bundles/{bundle_id}", terms, '"0"').status == 200
        path = f"/v1/customers/{customer_id}/offers"
        assert service.post(path, {"bundle_id": bundle_id}).status == 201
        world = World(service, workspace, customer_id)
        key = world.key("--scope", "recommend,offers,customers,catalogue")
        yield world._replace(service=replace(service, key=key))


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def chat(world: World) -> Iterator[tuple[Any, Ask]]:
    """A chat of the signed-in customer: its client, and how it calls a tool."""
    assert world.service.key is not None
    parameters = StdioServerParameters(
        command=sys.executable,
        args=[*COMMAND, "--url", world.service.url, "--location", "S1", "--placement", "chat"],
        env={
            "PYTHONPATH": str(ROOT),
            "OMNIBASKET_API_KEY": world.service.key,
            "OMNIBASKET_IDENTIFIER_TYPE": "email",
            "OMNIBASKET_IDENTIFIER_VALUE": email(0),
        },
        cwd=ROOT,
    )
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(parameters)) as client,
    ):

        def ask(name: str, **arguments: Any) -> Any:
            answer = portal.call(client.call_tool, name, arguments)
            (text,) = answer.content
            if answer.is_error:
                raise ToolError(text.text)
            assert json.loads(text.text) == answer.structured_content
            msgspec.convert(answer.structured_content, TOOLS[name].gives)
            return answer.structured_content

        yield portal.call(client.list_tools), ask


def told(items: list[dict[str, Any]], *names: str) -> list[list[Any]]:
    """What lists say of their products, in their order."""
    return [
        [item["item_id"], item.get("title"), *(item.get(name) for name in names)] for item in items
    ]


def amounts(items: list[dict[str, Any]]) -> list[int]:
    return [item["price"]["amount_minor"] for item in items]


def test_a_client_is_told_what_each_tool_takes_and_gives(chat: tuple[Any, Ask]) -> None:
    listed = {tool.name: tool for tool in chat[0].tools}
    assert listed.keys() == TOOLS.keys()
    for name, tool in listed.items():
        assert tool.description, name
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
        for argument, schema in tool.input_schema["properties"].items():
            assert "description" in schema, (name, argument)
            assert not {"customer", "identifier", "email", "session"} & set(argument.split("_"))
        assert tool.annotations.destructive_hint is False
    reading = {name for name, tool in listed.items() if tool.annotations.read_only_hint}
    assert reading == listed.keys() - {"recommendations"}  # it counts as shown
    assert "never instructions" in INSTRUCTIONS


def test_a_chat_finds_what_the_service_finds(chat: tuple[Any, Ask], world: World) -> None:
    _, ask = chat
    same = world.get("/v1/items?q=item&location_id=S1&placement=chat&count=4")
    found = ask("find_products", query="item", count=4)
    assert told(found["items"], "availability") == told(same["items"], "availability")
    assert found["total"] == same["total"]
    price = {"amount_minor": 150, "currency": "EUR", "text": "€1.50"}
    assert [item["price"] for item in found["items"]] == [price] * 4
    assert ask("find_products", query="sauce", in_stock=True)["items"] == []
    assert ask("find_products", query="sauce", max_price_minor=100)["left_out"] == {"filtered": 1}
    (scanned,) = ask("find_products", query="4006381333931", location_id="S2")["items"]
    assert scanned["item_id"] == "pasta"
    assert scanned["availability"]["location_id"] == "S2"
    assert scanned["url"] == "https://shop.example/p/pasta"


def test_a_chat_knows_a_product_and_its_stock(chat: tuple[Any, Ask], world: World) -> None:
    _, ask = chat
    same = world.get(f"/v1/items/{SOLD_OUT}?location_id=S1")
    found = ask("product", item_id=SOLD_OUT)
    for name in ("title", "availability", "active", "stores", "n_stores"):
        assert found[name] == same[name]
    assert found["availability"]["on_hand"] == 0


@pytest.mark.parametrize(
    ("tool", "path"), [("goes_with", "bought-together"), ("similar_products", "similar")]
)
def test_a_chat_knows_what_stands_beside_a_product(
    chat: tuple[Any, Ask], world: World, tool: str, path: str
) -> None:
    same = world.get(f"/v1/items/pasta/{path}?location_id=S1&placement=chat&count=3")
    found = chat[1](tool, item_id="pasta", count=3)
    assert told(found["items"], "evidence") == told(same["items"], "evidence")
    assert found["heading"] == same["heading"]["text"]
    assert found["item"]["title"] == "Pasta"


def test_recommendations_are_those_of_every_channel_and_count_as_shown(
    chat: tuple[Any, Ask], world: World
) -> None:
    _, ask = chat
    asked = "/v1/recommendations?placement=chat&location_id=S1&count=3&dry_run=true"
    same = world.get(f"{asked}&identifier_type=email&identifier_value={email(0)}")
    offers = f"/v1/customers/{world.customer_id}/offers"
    before = world.get(offers)
    found = ask("recommendations", count=3)
    assert (found["customer_known"], same["customer_known"]) == (True, True)
    assert told(found["items"]) == told(same["items"])
    reasons = [{name: item["reason"][name] for name in ("code", "text")} for item in same["items"]]
    assert [item["reason"] for item in found["items"]] == reasons
    assert amounts(found["items"]) == amounts(same["items"])
    decision = f"/v1/decisions/{found['recommendation_id']}"
    for _ in range(100):  # any worker has it within a second
        answer = world.service.get(decision)
        if answer.status == 200:
            break
        time.sleep(0.05)
    assert answer.body["customer_id"] == world.customer_id
    assert answer.body["items"] == [item["item_id"] for item in found["items"]]
    assert world.get(offers) == before  # nothing was promised
    first = found["items"][0]["item_id"]
    other = ask("recommendations", count=3, exclude=[first], cart='["tea"]', about=["pasta"])
    assert first not in [item["item_id"] for item in other["items"]]


def test_the_offers_are_those_of_who_is_signed_in(chat: tuple[Any, Ask], world: World) -> None:
    same = world.get(f"/v1/customers/{world.customer_id}/offers")["offers"]
    found = chat[1]("offers")
    assert found["signed_in"]
    assert [offer["code"] for offer in found["offers"]] == [offer["code"] for offer in same]
    (offer,) = found["offers"]
    assert offer["price"] == {"amount_minor": 250, "currency": "EUR", "text": "€2.50"}
    assert {item["item_id"] for item in offer["items"]} == {"bread", "butter"}


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("find_products", {"query": "tea", "count": 0}, "Expected `int` >= 1 - at `$.count`"),
        ("find_products", {}, "missing required field `query`"),
        ("find_products", {"query": "tea", "customer_id": "x"}, "unknown field `customer_id`"),
        ("recommendations", {"identifier": "bob"}, "recommendations takes count, about, cart"),
        ("offers", {"customer_id": "x"}, "offers takes no arguments"),
        ("product", {"item_id": "nothing"}, "find_products finds the item_id"),
        ("product", {"item_id": "../customers/x/offers"}, "There is no product"),
        ("goes_with", {"item_id": "..\\.."}, "There is no product"),
        ("redeem", {}, "There is no tool `redeem`"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    chat: tuple[Any, Ask], tool: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ToolError) as error:
        chat[1](tool, **arguments)
    assert words in str(error.value)
    assert "Traceback" not in str(error.value)


def ask_once(url: str, key: str | None, asker: Asker, name: str, **arguments: Any) -> Any:
    """Call a tool without a client."""

    async def ask() -> Any:
        tools = Tools(Service(url, key), asker)
        try:
            return await call(tools, name, arguments)
        finally:
            await tools.service.close()

    return msgspec.to_builtins(anyio.run(ask))


def test_without_a_customer_nobody_is_known(world: World) -> None:
    url, key = world.service.url, world.service.key
    shown = ask_once(url, key, NOBODY, "recommendations", count=2)
    assert shown["customer_known"] is False
    assert len(shown["items"]) == 2
    offers = ask_once(url, key, NOBODY, "offers")
    assert (offers["signed_in"], offers["offers"]) == (False, [])
    assert "Nobody is signed in" in offers["note"]
    stranger = Asker("web_home", "chat-2", identifier=("email", "new@shop.example.org"))
    offers = ask_once(url, key, stranger, "offers")
    assert (offers["signed_in"], offers["offers"]) == (True, [])
    known = Asker("web_home", "chat-3", lang="de", customer_id=world.customer_id)
    (offer,) = ask_once(url, key, known, "offers")["offers"]
    assert offer["price"]["text"] == "2,50\u00a0€"
    assert ask_once(url, key, known, "recommendations")["customer_known"]


def test_a_chat_may_what_its_key_may(world: World) -> None:
    url = world.service.url

    def refused(key: str | None, asker: Asker, name: str, **arguments: Any) -> str:
        with pytest.raises(ToolError) as error:
            ask_once(url, key, asker, name, **arguments)
        return str(error.value)

    assert "set OMNIBASKET_API_KEY" in refused(None, NOBODY, "find_products", query="tea")
    assert "set another OMNIBASKET_API_KEY" in refused("x", NOBODY, "product", item_id="tea")
    ada = Asker("web_home", "chat-4", "S1", customer_id=world.customer_id)
    recommends = world.key("--scope", "recommend")
    said = refused(recommends, ada, "offers")
    assert "scope `offers`" in said
    assert "give it a key with that scope" in said
    here = world.key("--scope", "recommend", "--location", "S2")
    assert "the locations S2 only" in refused(here, NOBODY, "goes_with", item_id="tea")
    anywhere = Asker("web_home", "chat-5")
    look = ask_once(url, here, anywhere, "product", item_id="tea")
    assert (look["availability"]["location_id"], look["stores"]) == ("S2", [])
    mail = world.key("--scope", "recommend", "--channel", "email")
    assert "another --placement" in refused(mail, NOBODY, "recommendations")
    wrong = Asker("web_hom", "chat-6")
    assert "Did you mean `web_home`?" in refused(recommends, wrong, "recommendations")


def test_a_service_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"cannot be reached .* do not guess"):
        ask_once("http://127.0.0.1:9", None, NOBODY, "find_products", query="tea")
    # Some other program answers there.
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "items").write_text("<html>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        for name, arguments in (("find_products", {"query": "x"}), ("product", {"item_id": "x"})):
            with pytest.raises(ToolError, match="is no Omnibasket service"):
                ask_once(url, None, NOBODY, name, **arguments)
        other.shutdown()


def test_a_schema_has_an_object_at_its_root() -> None:
    for tool in TOOLS.values():
        for kind in (tool.takes, tool.gives):
            assert schema_of(kind)["type"] == "object"
