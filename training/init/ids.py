"""Checks that products have the same ids in all exports.

In: the proposed sources. If an export has lost the leading zeros of its ids, as spreadsheets and
number columns do, ``pad`` is added to its mapping. Called by the command after all exports have
been read.
"""

from collections.abc import Sequence

from recsys.config import Column
from training.init.template import NewSource


def align(sources: Sequence[NewSource]) -> list[str]:
    """Pad ids that are shorter than those of an export that kept its zeros.

    Returns
    -------
    notes : list of str
        Changes for the user to check; also added to the proposals' checks.
    """
    notes: list[str] = []
    ids = {source.name: _ids(source) for source in sources}
    widths = {width for found in ids.values() if (width := _padded_width(found))}
    if len(widths) != 1:
        return notes
    (width,) = widths
    for source in sources:
        found, spec = ids[source.name], source.proposal.columns.get("item_id")
        if not isinstance(spec, str) or not found or _padded_width(found):
            continue
        if all(text.isdigit() and len(text) <= width for text in found):
            source.proposal.columns["item_id"] = Column(column=spec, pad=width)
            note = f"`{spec}` is padded with zeros to {width} digits, as in another export"
            source.proposal.checks.append(note)
            notes.append(f"{source.name}: {note}")
    return notes


def _ids(source: NewSource) -> set[str]:
    spec = source.proposal.columns.get("item_id")
    return set(source.export.values(spec)) if isinstance(spec, str) else set()


def _padded_width(ids: set[str]) -> int | None:
    """Return the width of numeric ids of equal length, some with leading zeros."""
    lengths = {len(text) for text in ids}
    digits = all(text.isdigit() for text in ids)
    zeros = any(text.startswith("0") and len(text) > 1 for text in ids)
    return lengths.pop() if digits and zeros and len(lengths) == 1 else None
