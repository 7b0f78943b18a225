"""Writes a commented ``omnibasket.toml``.

What a person answered and what was proposed for each export come in, the text of the file goes
out. Called by the command.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from recsys.config import Column
from training.init.exports import Export
from training.init.mapping import Proposal
from training.init.names import NON_PRODUCT_WORDS

_KIND_TEXT = {
    "till_tickets": "Lines of till tickets.",
    "shopify_orders": "Orders as Shopify exports them; its columns need no mapping.",
    "order_lines": "Order lines, one row a line.",
    "ga4_events": "Events as GA4 writes them, one JSON object a line; they need no mapping.",
    "products": "The catalogue. A field of any other name is kept as an attribute.",
    "locations": "Stores and warehouses.",
    "stock": "What each location has on hand.",
    "customer_links": "Registrations: the identifiers of one row belong to one person.",
}
#: Digits in the id of a proper product, at least.
_DIGITS = 2
_HEAD = """\
# Settings of this workspace. docs/configuration.md explains every one of them; what is left out
# here has its default. Lines that begin with `# ` and a setting are proposals: take the `# ` away.
"""
_DATABASE = """\
# Orders may also come from a database:
# [sources.erp]
# kind = "database"
# url = "env:ERP_DATABASE"        # an SQLAlchemy URL, read from that environment variable
# query = "SELECT * FROM order_lines"
# channel = "web"
"""
_TAIL = """\
# [identity.blocked]
# Values that name nobody, such as a till's default card; `*` and `?` match.
# loyalty_card = ["0000*"]

# [serve]
# port = 8470

# [placements.web_home]
# channel = "web"
# count = 10
# objective = "purchase"           # or "margin", "new"
# diversity = 0.2                  # 0 leaves variants of one product side by side
"""


@dataclass(frozen=True)
class NewSource:
    """A source that the file will have: its name, its path as written, what was proposed."""

    name: str
    path: str
    export: Export
    proposal: Proposal


@dataclass(frozen=True)
class Answers:
    """What the whole workspace shares, and its sources."""

    name: str
    currency: str
    time_zone: str
    sources: list[NewSource] = field(default_factory=list)


def render(answers: Answers) -> str:
    """Write the settings file's text."""
    parts = [
        _HEAD,
        "[workspace]\n"
        f"name = {text(answers.name)}\n"
        f"currency = {text(answers.currency)}        # of amounts that do not say theirs\n"
        f"time_zone = {text(answers.time_zone)}        # of times without an offset\n",
        *(_source(source) for source in answers.sources),
        _example() if not answers.sources else "",
        _DATABASE,
        _rules(answers.sources),
        _TAIL,
    ]
    return "\n".join(part for part in parts if part)


def text(value: str) -> str:
    """Write a TOML basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _source(source: NewSource) -> str:
    proposal = source.proposal
    head = f"[sources.{source.name}]"
    lines = [f"# {_KIND_TEXT[proposal.kind]}", head, f"kind = {text(proposal.kind)}"]
    lines.append(f"path = {text(source.path)}")
    lines += [f"{name} = {text(value)}" for name, value in proposal.settings.items()]
    lines += [f"# Please check: {_one_line(check)}." for check in proposal.checks]
    lines += _section(f"[sources.{source.name}.columns]", _columns(proposal))
    if proposal.kind in ("till_tickets", "order_lines", "customer_links"):
        lines += _section(f"[sources.{source.name}.identifiers]", _identifiers(proposal))
    if proposal.unused:
        lines += ["", *_wrapped("Columns that are not used", proposal.unused)]
    return "\n".join(lines) + "\n"


def _section(head: str, lines: list[str]) -> list[str]:
    return ["", head, *lines] if lines else []


def _columns(proposal: Proposal) -> list[str]:
    lines = [f"{name} = {spec(column)}" for name, column in proposal.columns.items()]
    for name, (column, values) in proposal.values.items():
        pairs = ", ".join(f'{text(value)} = "…"' for value in values)
        lines.append(f"# {name} = {{ column = {text(column)}, map = {{ {pairs} }} }}")
    lines += [f'# {name} = "…"    # needed: which column is it?' for name in proposal.needed]
    told = set(proposal.values)
    return lines + [f'# {name} = "…"' for name in proposal.optional if name not in told]


def _identifiers(proposal: Proposal) -> list[str]:
    lines = [f"{kind} = {spec(column)}" for kind, column in proposal.identifiers.items()]
    if not lines:
        lines = ["# No column names the customer, as far as the names tell. Types are: account,"]
        lines.append("# email, phone, loyalty_card, payment_token, device.")
        lines.append('# email = "…"')
    return lines


def spec(column: str | Column) -> str:
    """Write where a field comes from: a column's name, or an inline table."""
    if isinstance(column, str):
        return text(column)
    parts = []
    if column.column is not None:
        parts.append(f"column = {text(column.column)}")
    if column.columns:
        parts.append(f"columns = [{', '.join(text(name) for name in column.columns)}]")
        if column.join != "/":
            parts.append(f"join = {text(column.join)}")
    if column.value is not None:
        parts.append(f"value = {text(column.value)}")
    if column.pad:
        parts.append(f"pad = {column.pad}")
    if column.map:
        pairs = ", ".join(f"{text(key)} = {text(value)}" for key, value in column.map.items())
        parts.append(f"map = {{ {pairs} }}")
    return f"{{ {', '.join(parts)} }}"


def _rules(sources: list[NewSource]) -> str:
    """Propose the lines that look like postage and fees, as found in the samples."""
    found: Counter[str] = Counter()
    for source in sources:
        item_id = source.proposal.columns.get("item_id")
        title = source.proposal.columns.get("title")
        if source.proposal.kind not in ("till_tickets", "order_lines"):
            continue
        if not isinstance(item_id, str) or not isinstance(title, str):
            continue
        for row in source.export.rows:
            name = row.get(item_id, "")
            # "CARRIAGE" is a fee and "CARRIAGE CLOCK" is not; fees have ids such as POST and C2.
            odd = sum(letter.isdigit() for letter in name) < _DIGITS
            if odd and any(word in row.get(title, "").lower() for word in NON_PRODUCT_WORDS):
                found[name] += 1
    ids = [name for name, _ in found.most_common(12) if name]
    where = "as the first rows suggest" if ids else "for example"
    shown = ", ".join(text(name) for name in sorted(ids) or ["POST", "GIFT_*"])
    return (
        f"[rules]\n# Order lines that are not products, {where}:\n# non_product_ids = [{shown}]\n"
    )


def _example() -> str:
    return (
        "# Each export is a source; for example:\n"
        "# [sources.tills]\n"
        '# kind = "till_tickets"\n'
        '# path = "exports/tickets/*.csv"\n'
        "# [sources.tills.columns]\n"
        '# order_id = { columns = ["store", "till", "ticket"] }\n'
        '# occurred_at = "local_time"\n'
        '# item_id = "sku"\n'
        '# quantity = "qty"\n'
        '# unit_price = "price"\n'
        "# [sources.tills.identifiers]\n"
        '# loyalty_card = "card"\n'
    )


def _wrapped(what: str, names: list[str]) -> list[str]:
    lines, line = [], f"# {what}:"
    for ix, name in enumerate(names):
        word = _one_line(name) + ("," if ix < len(names) - 1 else ".")
        if len(line) + len(word) > 96:
            lines.append(line)
            line = "#  "
        line += f" {word}"
    return [*lines, line]


def _one_line(value: str) -> str:
    """Keep what comes from an export on its comment line."""
    return "".join(c if c.isprintable() else "?" for c in value)
