"""Finds the line numbers of records in a text file, as an editor counts them.

Engines count records, but quoted line breaks and blank lines make record and line numbers differ.
Called by ``raw_table`` for the few rejected records.
"""

import csv
import io
import re
from bisect import bisect_right
from pathlib import Path

from recsys.ingest.files.survey import BLOCK, open_bytes

#: A separator that no export contains, so that the whole line is one field.
WHOLE_LINE = "\x01"


def count_lines(text: Path) -> int:
    """Count the lines of a file, including a last line without a line end."""
    count, last = 0, b"\n"
    with open_bytes(text) as stream:
        while block := stream.read(BLOCK):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n")


def lines_at(text: Path, positions: list[int]) -> list[int]:
    """Return the line, from 1, of each byte position; positions ascend."""
    breaks: list[int] = []
    lines: list[int] = []
    seen = at = 0
    if not positions:
        return lines
    with open_bytes(text) as stream:
        while block := stream.read(BLOCK):
            here = [p for p in positions[len(lines) :] if p < at + len(block)]
            if here:
                breaks = [m.start() + at for m in re.finditer(b"\n", block)]
                lines += [1 + seen + bisect_right(breaks, p - 1) for p in here]
            if len(lines) == len(positions):
                break
            seen += block.count(b"\n")
            at += len(block)
    return lines + [seen + 1] * (len(positions) - len(lines))


def start_lines(
    text: Path, delimiter: str, header_lines: int, rows: list[int], broken: set[int]
) -> list[int]:
    """Return the lines on which records begin, counting blank lines and quoted line breaks.

    Parameters
    ----------
    text : Path
        The file, UTF-8.
    delimiter : str
        ``WHOLE_LINE`` where quotes have no meaning.
    header_lines : int
        Lines before the first record.
    rows : list of int
        Numbers of the requested records, ascending, from 1.
    broken : set of int
        Lines of records that the engine did not count.
    """
    requested = iter(rows)
    target = next(requested)
    numbers: list[int] = []
    accepted = 0
    with io.TextIOWrapper(
        open_bytes(text), encoding="utf-8-sig", errors="replace", newline=""
    ) as stream:
        if delimiter == WHOLE_LINE:
            reader = csv.reader(stream, quoting=csv.QUOTE_NONE, delimiter=delimiter)
        else:
            reader = csv.reader(stream, delimiter=delimiter)
        end = 0
        for record in reader:
            line, end = end + 1, reader.line_num
            if line <= header_lines or not record or line in broken:
                continue
            accepted += 1
            if accepted == target:
                numbers.append(line)
                following = next(requested, None)
                if following is None:
                    return numbers
                target = following
    return numbers + [end] * (len(rows) - len(numbers))
