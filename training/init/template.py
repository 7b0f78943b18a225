"""Writes a commented ``omnibasket.toml``.

In: the user's answers and the proposal for each export. Out: the text of the file. Called by the
command.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from recsys.config import Column
from training.init.exports import Export
from training.init.proposal import Proposal, Question, shown

_KIND_TEXT = {
    "till_tickets": "Lines of till tickets.",
    "shopify_orders": "Orders as Shopify exports them; its columns need no mapping.",
    "woocommerce_orders": "Orders as WooCommerce exports them.",
    "order_lines": "Order lines, one row per line.",
    "ga4_events": "Events as GA4 writes them, one JSON object per line; they need no mapping.",
    "products": "The catalogue. Fields with other names are kept as attributes.",
    "locations": "Stores and warehouses.",
    "stock": "What each location has on hand.",
    "customer_links": "Registrations: the identifiers of one row belong to one customer.",
}
_NOTHING = "    # the export's column of this name has another meaning"
_HEAD = """\
# Settings of this workspace. docs/configuration.md explains all of them; settings not listed here
# have their defaults. Lines of `# ` and a setting are proposals: remove the `# ` to apply them.
"""
_DATABASE = """\
# Orders may also come from a database:
# [sources.erp]
# kind = "database"
# url = "env:ERP_DATABASE"        # an SQLAlchemy URL, read from that environment variable
# query = "SELECT * FROM order_lines"
# channel = "web"
"""
_BLOCKED = """\
# [identity.blocked]
# Values that identify nobody, such as a till's default card; `*` and `?` are wildcards.
# loyalty_card = ["0000*"]
"""
_TAIL = """\
# [serve]
# port = 8470

# [placements.web_home]
# channel = "web"
# count = 10
# objective = "purchase"           # or "margin", "new"
# diversity = 0.2                  # 0 shows variants of one product side by side
"""


@dataclass(frozen=True)
class NewSource:
    """A source for the file: its name, its path as written, and its proposal."""

    name: str
    path: str
    export: Export
    proposal: Proposal


@dataclass(frozen=True)
class Answers:
    """The workspace's own settings and its sources."""

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
        f"currency = {text(answers.currency)}        # of amounts without a currency\n"
        f"time_zone = {text(answers.time_zone)}        # of times without an offset\n",
        *(_source(source) for source in answers.sources),
        _example() if not answers.sources else "",
        _DATABASE,
        _rules(answers.sources),
        _blocked(answers.sources),
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
    lines += [f"{name} = {written(value)}" for name, value in proposal.settings.items()]
    lines += [f"# Please check: {_one_line(check)}." for check in proposal.checks]
    lines += [_asked(question) for question in proposal.questions]
    lines += _section(f"[sources.{source.name}.columns]", _columns(proposal))
    has_people = proposal.kind in ("till_tickets", "order_lines", "customer_links")
    if has_people or proposal.identifiers:
        lines += _section(f"[sources.{source.name}.identifiers]", _identifiers(proposal))
    for purpose, said in proposal.consents.items():
        head = f"[sources.{source.name}.consents.{purpose}]"
        lines += _section(head, [f"{channel} = {text(column)}" for channel, column in said.items()])
    if proposal.unused:
        lines += ["", *_wrapped("Columns that are not used", proposal.unused)]
    return "\n".join(lines) + "\n"


def _asked(question: Question) -> str:
    end = "" if question.text.endswith("?") else "."
    return f"# Please check: {_one_line(question.text)}{end}"


def written(value: Any) -> str:
    """Write any plain value in TOML: a text, a number, a list or an inline table."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return f"[{', '.join(written(one) for one in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{text(key)} = {written(one)}" for key, one in value.items())
        return f"{{ {pairs} }}"
    return json.dumps(value)


def _section(head: str, lines: list[str]) -> list[str]:
    return ["", head, *lines] if lines else []


def _columns(proposal: Proposal) -> list[str]:
    lines = [
        f"{name} = {spec(column)}{_NOTHING if column == Column(value='') else ''}"
        for name, column in proposal.columns.items()
    ]
    for name, (column, values) in proposal.values.items():
        pairs = ", ".join(
            f'{text(value)} = "{meaning or "…"}"' for value, meaning in values.items()
        )
        lines.append(f"# {name} = {{ column = {text(column)}, map = {{ {pairs} }} }}")
    lines += [f'# {name} = "…"    # required: which column is it?' for name in proposal.needed]
    written = set(proposal.values)
    return lines + [f'# {name} = "…"' for name in proposal.optional if name not in written]


def _identifiers(proposal: Proposal) -> list[str]:
    lines = [f"{kind} = {spec(column)}" for kind, column in proposal.identifiers.items()]
    if not lines:
        lines = ["# No column seems to identify the customer. Types are: account,"]
        lines.append("# email, phone, loyalty_card, payment_token, device.")
        lines.append('# email = "…"')
    return lines


def spec(column: str | Column) -> str:
    """Write a field's mapping: a column's name, or an inline table."""
    if isinstance(column, str):
        return text(column)
    plain = msgspec.to_builtins(Column())
    changed = {k: v for k, v in msgspec.to_builtins(column).items() if v != plain[k]}
    return f"{{ {', '.join(f'{key} = {written(value)}' for key, value in changed.items())} }}"


def _rules(sources: Sequence[NewSource]) -> str:
    """Write the ids of lines that are not products, and propose ids that may not be."""
    known = _together([source.proposal.rules for source in sources])
    stated = known.pop("non_product_ids", set())
    sure = sorted({item for source in sources for item in source.proposal.fees} | stated)
    doubtful = {item for source in sources for item in source.proposal.maybe_fees} - set(sure)
    lines = ["[rules]"]
    if sure:
        lines.append("# Please check: these order lines do not count as products.")
        lines.append(f"non_product_ids = [{', '.join(map(text, sure))}]")
    ids = ", ".join(map(text, sorted(doubtful) or ["POST", "GIFT_*"]))
    if sure and doubtful:
        lines.append(f"# These may not be products either: {_one_line(ids)}")
    elif not sure:
        where = "as the first rows suggest" if doubtful else "for example"
        lines.append(f"# Order lines that are not products, {where}:")
        lines.append(f"# non_product_ids = [{ids}]")
    lines += [f"{rule} = {written(sorted(values))}" for rule, values in sorted(known.items())]
    return "\n".join(lines) + "\n"


def _together(rules: Sequence[dict[str, list[str]]]) -> dict[str, set[str]]:
    """Merge the rules of several sources."""
    names = sorted({name for rule in rules for name in rule})
    return {name: {value for rule in rules for value in rule.get(name, [])} for name in names}


def _blocked(sources: Sequence[NewSource]) -> str:
    """Block the words for guests; no other customer values are written."""
    blocked = _together([source.proposal.blocked for source in sources])
    if not blocked:
        return _BLOCKED
    lines = [f"{kind} = {written(sorted(values))}" for kind, values in sorted(blocked.items())]
    return "\n".join(["[identity.blocked]", "# Values that identify nobody.", *lines]) + "\n"


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
        word = _one_line(shown(name)) + ("," if ix < len(names) - 1 else ".")
        if len(line) + len(word) > 96:
            lines.append(line)
            line = "#  "
        line += f" {word}"
    return [*lines, line]


def _one_line(value: str) -> str:
    """Keep texts from an export on one comment line."""
    return "".join(c if c.isprintable() else "?" for c in value)
