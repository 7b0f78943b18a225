"""``omnibasket mcp``: lets a chat assistant ask a running service, by the Model Context Protocol.

Speaks the protocol over standard input and output, and asks the service over HTTP with a key, as
every channel does. It opens no workspace. docs/assistant.md explains it.
"""

import os
import secrets
from collections.abc import Mapping
from importlib.util import find_spec

import click

from recsys.errors import ConfigError
from recsys.languages import TAGS
from recsys.values import is_base_url
from training.mcp.asker import Asker

#: What the server is told in the environment, where neither a list of processes nor a shell's
#: history shows it.
KEY, CUSTOMER = "OMNIBASKET_API_KEY", "OMNIBASKET_CUSTOMER_ID"
IDENTIFIER_TYPE, IDENTIFIER_VALUE = "OMNIBASKET_IDENTIFIER_TYPE", "OMNIBASKET_IDENTIFIER_VALUE"


@click.command(
    epilog="""\b
For example:
  OMNIBASKET_API_KEY=omnibasket_… omnibasket mcp --url https://reco.shop.example

\b
In the environment:
  OMNIBASKET_API_KEY           key with the scopes recommend and offers
  OMNIBASKET_CUSTOMER_ID       who is signed in; or, as the customer gives it,
  OMNIBASKET_IDENTIFIER_TYPE   email, loyalty_card, phone, …
  OMNIBASKET_IDENTIFIER_VALUE  and the e-mail address, the number"""
)
@click.option(
    "--url",
    default="http://127.0.0.1:8470",
    show_default=True,
    metavar="URL",
    help="Address of the running service.",
)
@click.option(
    "--placement",
    default="web_home",
    show_default=True,
    metavar="NAME",
    help="Placement that the chat is: its filter and its rules hold for every list.",
)
@click.option("--location", metavar="ID", help="Store that the customer would buy from.")
@click.option("--lang", type=click.Choice(TAGS), help="Language; the placement's by default.")
def command(url: str, placement: str, location: str | None, lang: str | None) -> None:
    """Serve a chat assistant, which starts this command itself.

    It finds products, and tells their stock, what goes with them, recommendations with reasons, and
    the offers of the customer who is signed in. It changes and promises nothing. The customer is
    fixed in the environment, so no prompt can ask for somebody else.
    """
    if not is_base_url(url):
        raise click.BadParameter(
            f"`{url}` is no address such as https://reco.shop.example.", param_hint="--url"
        )
    if find_spec("mcp") is None or find_spec("httpx2") is None:
        raise ConfigError("this needs the package `mcp`: pip install 'omnibasket[mcp]'.")
    from training.mcp.server import serve

    serve(url, os.environ.get(KEY) or None, asker_of(os.environ, placement, location, lang))


def asker_of(
    environ: Mapping[str, str], placement: str, location: str | None, lang: str | None
) -> Asker:
    """Say for whom, where and in which language the assistant asks.

    Raises
    ------
    ConfigError
        When the environment names the customer twice, or by half.
    """
    names = (CUSTOMER, IDENTIFIER_TYPE, IDENTIFIER_VALUE)
    customer_id, kind, value = (environ.get(name) or None for name in names)
    if (kind is None) != (value is None):
        raise ConfigError(
            f"set both {IDENTIFIER_TYPE} and {IDENTIFIER_VALUE}, or neither: the one says what "
            "kind of identifier the other is."
        )
    if customer_id is not None and value is not None:
        raise ConfigError(
            f"set {CUSTOMER} or {IDENTIFIER_VALUE}, not both: the assistant serves one customer."
        )
    identifier = None if kind is None or value is None else (kind, value)
    session_id = f"assistant-{secrets.token_hex(12)}"
    return Asker(placement, session_id, location, lang, customer_id, identifier)
