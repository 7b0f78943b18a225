"""Settings: what is read, what is overridden, and how each mistake is answered."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from recsys.config.toml_file import (
    Column,
    Config,
    config_from_environment,
    load_config,
    parse_config,
)
from recsys.errors import ConfigError

LINES = '[sources.shop]\nkind = "order_lines"\npath = "orders.csv"\n'


def write(folder: Path, text: str) -> Path:
    (folder / "omnibasket.toml").write_text(text, encoding="utf-8")
    return folder


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load_config(write(folder, text))
    message = str(error.value)
    assert message.startswith(f"{folder / 'omnibasket.toml'}: ")
    return message.removeprefix(f"{folder / 'omnibasket.toml'}: ")


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    assert config == Config(folder=tmp_path)
    assert config.state == tmp_path / ".omnibasket"
    assert config.ledger_url == f"sqlite:///{tmp_path / '.omnibasket' / 'ledger.sqlite'}"


def test_the_file_itself_may_be_named(tmp_path: Path) -> None:
    write(tmp_path, '[workspace]\nname = "Corner shop"\n')
    assert load_config(tmp_path / "omnibasket.toml") == load_config(tmp_path)


def test_a_byte_order_mark_is_understood(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").write_bytes(b'\xef\xbb\xbf[workspace]\nname = "Caf\xc3\xa9"\n')
    assert load_config(tmp_path).workspace.name == "Café"


def test_a_source_reads_plain_and_detailed_columns(tmp_path: Path) -> None:
    text = LINES + '[sources.shop.columns]\nquantity = "Qty"\n'
    text += 'item_id = {column = "SKU", pad = 6}\n[sources.shop.identifiers]\nemail = "Mail"\n'
    source = load_config(write(tmp_path, text)).sources["shop"]
    assert source.columns == {"quantity": "Qty", "item_id": Column(column="SKU", pad=6)}
    assert source.identifiers == {"email": "Mail"}


def test_placements_are_built_in_added_and_replaced(tmp_path: Path) -> None:
    text = (
        '[placements.web_home]\nchannel = "web"\ncount = 3\n[placements.app_home]\nchannel="app"\n'
    )
    config = load_config(write(tmp_path, text))
    counts = {}
    for name in ("web_home", "app_home", "email_weekly"):
        placement = config.placement(name)
        assert placement is not None
        counts[name] = placement.count
    assert counts == {"web_home": 3, "app_home": 10, "email_weekly": 12}
    assert config.placement("nowhere") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("serve = [1", "not valid TOML: Unclosed array (at end of document)."),
        ("[serve\nport = 1", "not valid TOML: Expected ']' at the end of a table declaration"),
        ('folder = "x"', "unknown setting `folder`."),
        ("[serv]\nport = 1", "serv: unknown setting `serv`. Did you mean `serve`? Known: works"),
        ("[serve]\nprot = 1", "serve.prot: unknown setting `prot`. Did you mean `port`? Known: h"),
        ('[serve]\nport = "x"', "serve.port: expected a whole number, not 'x'."),
        (
            "[serve]\nport = 70000",
            "serve.port: expected a whole number of at most 65535",
        ),
        ("[train]\nkeep = 0", "train.keep: expected a whole number of at least 1, not 0."),
        ("[train]\ntest_days = 1.5", "train.test_days: expected a whole number, not 1.5."),
        (
            "[models.als]\nfactor = 3",
            "models.als.factor: unknown setting `factor`. Did you mean `factors`?",
        ),
        ("[models]\nals = 3", "models.als: expected a table of settings, not 3."),
        ("[ingest]\nreturn_window_days = 0", "ingest.return_window_days: expected a number above"),
        (
            '[workspace]\ncurrency = "euro"',
            "workspace.currency: expected an ISO 4217 code such as EUR, not 'euro'.",
        ),
        (
            '[workspace]\ntime_zone = "Europe/Pari"',
            "workspace.time_zone: `Europe/Pari` is no IANA time zone. Did you mean `Europe/Paris`?",
        ),
        ('[workspace]\ntime_zone = "?"', "workspace.time_zone: `?` is no IANA time zone. Use one"),
        ('[rules]\nnon_product_ids = "POST"', "rules.non_product_ids: expected a list, not 'POST'"),
        ("[rules]\nnon_product_ids = [1]", "rules.non_product_ids.0: expected text, not 1."),
        (
            '[rules]\nfree_lines = "drop"',
            "rules.free_lines: unknown `drop`. Known: leave_out, keep.",
        ),
        ('[identity.limits]\nemail = "x"', "identity.limits.email: expected a whole number"),
        ("sources = 3", "sources: expected a table of settings, not 3."),
        (
            '[sources.tills]\nkind = "till_ticket"\npath = "x"',
            "sources.tills.kind: unknown `till_ticket`. Did you mean `till_tickets`? Known: till_",
        ),
        (
            '[sources.tills]\npath = "x"',
            "sources.tills: `kind` is missing: one of till_tickets, shopify_orders,",
        ),
        (
            '[sources.tills]\nkind = "till_tickets"',
            "sources.tills: `path` is missing: a file, a folder or a glob.",
        ),
        (
            '[sources.erp]\nkind = "database"\nurl = "sqlite:///x"',
            "sources.erp: a database source needs `url` and `query`.",
        ),
        (
            LINES.replace("shop", '"my shop"'),
            "sources.my shop: a source's name has 1 to 64 letters, digits, `_` and `-`.",
        ),
        (LINES + 'pth = "x"', "sources.shop.pth: unknown setting `pth`. Did you mean `path`?"),
        (LINES + 'decimal = ";"', "sources.shop.decimal: unknown `;`. Known: `.`, `,`."),
        (LINES + 'currency = "E"', "sources.shop.currency: expected an ISO 4217 code such as EUR"),
        (LINES + 'time_zone = "CEST"', "sources.shop.time_zone: `CEST` is no IANA time zone."),
        (
            LINES + 'channel = "shop"',
            "sources.shop.channel: unknown `shop`. Known: pos, web, app, email, store_screen,",
        ),
        (LINES + 'orders = "split"', 'sources.shop: `orders = "split"` needs a `line_no` column.'),
        (
            LINES + "[sources.shop.columns]\nquantity = 3",
            "sources.shop.columns.quantity: expected text or a table of settings, not 3.",
        ),
        (
            LINES + '[sources.shop.columns]\nquantity = {colum = "Q"}',
            "sources.shop.columns.quantity.colum: unknown setting `colum`. Did you mean `column`?",
        ),
        (
            LINES + "[sources.shop.columns]\nquantity = {pad = 3}",
            "sources.shop.columns.quantity: needs exactly one of `column`, `columns`, `value`.",
        ),
        (
            LINES + '[sources.shop.identifiers]\nemail = {column = "a", value = "b"}',
            "sources.shop.identifiers.email: needs exactly one of `column`, `columns`, `value`.",
        ),
        ("[placements.x]\ncount = 1", "placements.x: `channel` is missing."),
        (
            '[placements.x]\nchannel = "web"\nnew_only = true',
            'placements.x.new_only: unknown setting `new_only`: `objective = "new"` says what',
        ),
        (
            '[placements.x]\nchannel = "web"\nobjective = "profit"',
            "placements.x.objective: unknown `profit`. Known: purchase, margin, new.",
        ),
        (
            '[placements.x]\nchannel = "webb"',
            "placements.x.channel: unknown `webb`. Did you mean `web`? Known: pos, web, app",
        ),
        (
            '[placements.x]\nchannel = "web"\nweights = {alss = 1.0}',
            "placements.x.weights: unknown `alss`. Did you mean `als`? Known: popular,",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert mistake(tmp_path, text).startswith(message)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file\. Make one with `omnibasket init`"):
        load_config(tmp_path)
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "nowhere")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path)
    (tmp_path / "folder" / "omnibasket.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "folder")


def test_variables_override_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIBASKET_SERVE__PORT", "9000")
    monkeypatch.setenv("OMNIBASKET_MODELS__ALS__ALPHA", "0.5")
    monkeypatch.setenv("OMNIBASKET_WORKSPACE__NAME", "Corner shop")
    monkeypatch.setenv("OMNIBASKET_RULES__NON_PRODUCT_IDS", '["POST"]')
    monkeypatch.setenv("OMNIBASKET_WORKSPACE", "elsewhere")  # the command line's, no setting
    config = load_config(write(tmp_path, "[serve]\nport = 1\n"))
    assert (config.serve.port, config.models.als.alpha) == (9000, 0.5)
    assert config.workspace.name == "Corner shop"
    assert config.rules.non_product_ids == ["POST"]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OMNIBASKET_SERVE__PORT", "no", "OMNIBASKET_SERVE__PORT: serve.port: expected a whole"),
        ("OMNIBASKET_SERV__PORT", "1", "OMNIBASKET_SERV__PORT: serv: unknown setting `serv`."),
        ("OMNIBASKET_SERVE__PROT", "1", "OMNIBASKET_SERVE__PROT: serve.prot: unknown setting"),
        ("OMNIBASKET_SERVE__PORT__X", "1", "OMNIBASKET_SERVE__PORT__X: `port` is not a section."),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, "[serve]\nport = 1\n"))
    assert str(error.value).startswith(message)


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOP_DATABASE", "postgresql://shop")
    config = load_config(write(tmp_path, '[ledger]\nurl = "env:SHOP_DATABASE"\n'))
    assert config.ledger_url == "postgresql://shop"
    assert config_from_environment("sqlite:///x", "ledger.url") == "sqlite:///x"
    monkeypatch.delenv("SHOP_DATABASE")
    with pytest.raises(ConfigError, match=r"ledger.url: the environment variable SHOP_DATABASE"):
        _ = config.ledger_url


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    section=st.sampled_from(Config.__struct_fields__[:-1]),
    name=st.sampled_from(["port", "limits", "als", "email", "non_product_ids", "url", "kind"]),
    value=VALUES,
)
def test_any_value_is_either_taken_or_refused_by_place(
    section: str, name: str, value: object
) -> None:
    refused = ""
    try:
        parse_config({section: {name: value}}, Path("omnibasket.toml"))
    except ConfigError as error:
        refused = str(error)
    assert not refused or refused.startswith(f"omnibasket.toml: {section}")


def test_a_named_limit_leaves_the_other_types_theirs(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").write_text("[identity.limits]\nemail = 5\n", encoding="utf-8")
    limits = load_config(tmp_path).identity.limits
    assert (limits["email"], limits["account"]) == (5, 1)


SECRETS = [
    "postgresql://ada:s3cret!x@db.example/shop",
    "postgresql://ada:s3cret@x@db.example:5432/shop",
    "postgresql://db.example/shop?user=ada&password=s3cret",
    "mysql://:s3cret@db.example/shop",
]


@pytest.mark.parametrize("url", SECRETS)
def test_settings_show_no_password(url: str, tmp_path: Path) -> None:
    raw = {
        "ledger": {"url": url},
        "sources": {"erp": {"kind": "database", "url": url, "query": "SELECT 1"}},
    }
    config = parse_config(raw, tmp_path / "omnibasket.toml")
    assert config.ledger_url == url
    console = Console(file=io.StringIO(), width=10_000)
    console.print(config, config.ledger)
    shown = [repr(config), str(config.ledger), f"{config.sources}", console.file.getvalue()]
    for text in shown:
        assert "s3cret" not in text
        assert "db.example" in text
        assert "shop" in text


def test_systems_name_the_orders_of_their_exports(tmp_path: Path) -> None:
    shared = LINES.replace("shop]", "till]") + 'system = "erp"\n'
    again = shared.replace("till]", "old_till]")
    events = '[sources.clicks]\nkind = "ga4_events"\npath = "events.jsonl"\n'
    config = load_config(write(tmp_path, LINES + shared + again + events))
    assert config.order_systems == ["erp", "shop"]
