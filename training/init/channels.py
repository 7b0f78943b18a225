"""Maps the column that states the channel of an order.

In: the evidence of an export and a proposal. The field ``channel`` is mapped with every value that
occurs, or a question is added. Called by ``mapping``; ``places`` reads single words.
"""

from collections.abc import Mapping

from recsys.config import Column
from recsys.schema import CHANNELS
from training.init.evidence import Evidence
from training.init.headers import fold, ranked
from training.init.names import ORDER_NAMES
from training.init.proposal import Proposal, shown, used_columns
from training.init.vocabulary import CHANNEL_WORDS
from training.init.word_columns import MAX_WORDS, list_values

_WEAK_NAMES = "source platform createdvia saletype ordertype type shopname store shop location"
#: Names of columns that are channels only if every value is a channel.
_WEAK_CHANNEL_NAMES = tuple(_WEAK_NAMES.split())


def map_channel(evidence: Evidence, proposal: Proposal) -> None:
    """Map a column of channels, or ask what its values mean."""
    columns = evidence.export.columns
    candidates = ranked(columns, ("channel", *ORDER_NAMES["channel"]))
    weak = ranked(columns, _WEAK_CHANNEL_NAMES)
    proposal.columns.pop("channel", None)
    used = set(used_columns(proposal))
    for column in [*candidates, *(c for c in columns if c not in candidates and c not in used)]:
        counts = evidence.counts(column)
        if column in used or not counts or len(counts) > MAX_WORDS:
            continue
        mapped = {value: channel_of(value) for value in sorted(counts)}
        n_known = sum(channel is not None for channel in mapped.values())
        if column in candidates or (column in weak and n_known == len(mapped)):
            _set_channel(proposal, column, mapped)
            return
        if n_known == len(mapped) and len(mapped) > 1:
            proposal.check(f"`{column}` is used as the channel because of its values")
            _set_channel(proposal, column, mapped)
            return


def channel_of(value: str) -> str | None:
    """Return the channel that a word means."""
    if value in CHANNELS:
        return value
    folded = {fold(value), fold(value.split(".")[0])}  # Amazon.de
    return next((c for c, words in CHANNEL_WORDS.items() if folded.intersection(words)), None)


def _set_channel(proposal: Proposal, column: str, mapped: Mapping[str, str | None]) -> None:
    if all(value == channel for value, channel in mapped.items()):
        proposal.columns["channel"] = column
    elif all(mapped.values()):
        proposal.columns["channel"] = Column(
            column=column, map={k: v for k, v in mapped.items() if v}
        )
    else:
        proposal.values["channel"] = (column, dict(mapped))
        unknown = [value for value, channel in mapped.items() if channel is None]
        pairs = ", ".join(f'"{shown(v)}" = "{c or "…"}"' for v, c in mapped.items())
        proposal.ask(
            f"what do {list_values(unknown)} in `{column}` mean? Map them to `channel`",
            "columns.channel",
            "channel",
            example=f'{{ column = "{column}", map = {{ {pairs} }} }}',
            serious=False,
        )
