"""Adds invented broken rows to the finished exports; no real line is lost.

In: a folder with written exports. Out: a list of the broken rows with their position and expected
reject reason. Called last by ``build``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.demo import exports
from training.demo.tickets import BROKEN_TICKETS


@dataclass(frozen=True)
class Broken:
    """One row that cannot be read."""

    file: str
    """Path relative to the workspace."""
    line: int
    """Line in the file, from 1."""
    kind: str
    """What is wrong with it."""
    reason: str
    """The expected reject reason."""


#: A valid till line and a valid web order.
_TICKET = {
    "line": "1",
    "store": "367",
    "till": "3",
    "card": "",
    "payment_token": "",
    "time": "2017-{month}-12 12:10:00",
    "sku": "1082185",
    "quantity": "1",
    "price": "3.49",
    "discount": "0.00",
    "type": "sale",
    "original_ticket": "",
}
_ORDER = {
    "Financial Status": "paid",
    "Currency": "USD",
    "Subtotal": "12.49",
    "Shipping": "5.99",
    "Taxes": "0.00",
    "Total": "18.48",
    "Created at": "2017-{month}-12 12:10:00 -0400",
    "Discount Amount": "0.00",
    "Lineitem quantity": "1",
    "Lineitem name": "Bananas",
    "Lineitem price": "12.49",
    "Lineitem sku": "1082185",
    "Billing Name": "Jose Perez",
    "Refunded Amount": "0.00",
    "Vendor": "Demo grocer",
    "Lineitem discount": "0.00",
}
_EVENT = (
    '{"event_date":"20170412","event_timestamp":"1492013400000000","event_name":"view_item",'
    '"event_params":[],"user_pseudo_id":"1.1","platform":"WEB","items":[{"item_id":"1082185"}]}'
)

_Row = tuple[str, bytes]

#: Fault → reject reason, where the names differ.
_REASONS = {
    "decimal_comma": "bad_number",
    "cut": "missing_columns",
    "cut_event": "not_json",
    "wrong_encoding": "invalid_encoding",
    "unknown_line_type": "unknown_value",
    "missing_item": "missing_item_id",
    "missing_time": "missing_occurred_at",
}


def _till(number: int, month: str, kind: str, change: dict[str, str]) -> _Row:
    row = {"ticket": str(BROKEN_TICKETS + number), **_TICKET, **change}
    row["time"] = row["time"].format(month=month)
    return kind, _csv([row[name] for name in exports.TILL_COLUMNS])


def _order(number: int, month: str, kind: str, change: dict[str, str]) -> _Row:
    row = {"Name": f"#9{number:04d}", **_ORDER, **change}
    row["Created at"] = row["Created at"].format(month=month)
    return kind, _csv([row.get(name, "") for name in exports.SHOP_COLUMNS])


def _csv(values: list[str]) -> bytes:
    return ",".join(f'"{value}"' if "," in value else value for value in values).encode() + b"\n"


def _latin1(row: _Row) -> _Row:
    return row[0], row[1].decode().encode("latin-1")


def _first(row: _Row, fields: int) -> _Row:
    return row[0], b",".join(row[1].split(b",")[:fields]) + b"\n"


def _rows() -> dict[str, list[_Row]]:
    """Return the broken rows by file, in order of insertion."""
    cut = _till(10, "12", "cut", {})
    return {
        f"{exports.TILLS}/tills-2017-03.csv": [
            _till(1, "03", "bad_time", {"time": "2017-13-45 12:10:00"}),
            _till(2, "03", "decimal_comma", {"price": "3,49"}),
            _first(_till(3, "03", "missing_columns", {}), 7),
            _till(4, "03", "nonexistent_local_time", {"time": "2017-03-12 02:30:00"}),
        ],
        f"{exports.TILLS}/tills-2017-06.csv": [
            _latin1(_till(5, "06", "wrong_encoding", {"sku": "CAFÉ-5"})),
            _till(6, "06", "unknown_line_type", {"type": "training"}),
            _till(7, "06", "missing_item", {"sku": ""}),
        ],
        f"{exports.TILLS}/tills-2017-09.csv": [
            _till(8, "09", "bad_number", {"quantity": "two"}),
            _till(9, "09", "missing_time", {"time": ""}),
        ],
        f"{exports.TILLS}/tills-2017-12.csv": [(cut[0], cut[1][:40])],
        f"{exports.SHOP}/orders-2017-Q2.csv": [
            _order(1, "05", "bad_time", {"Created at": "last Tuesday"}),
            _order(2, "05", "decimal_comma", {"Lineitem price": "12,49"}),
        ],
        f"{exports.SHOP}/orders-2017-Q3.csv": [
            _latin1(_order(3, "08", "wrong_encoding", {"Billing Name": "José Pérez"})),
            _order(4, "08", "missing_item", {"Lineitem sku": "", "Lineitem name": ""}),
        ],
        f"{exports.EVENTS}/events-2017-04.ndjson": [
            ("cut_event", _EVENT[:90].encode() + b"\n"),
            ("bad_time", _EVENT.replace("1492013400000000", "noon").encode() + b"\n"),
            ("missing_event", _EVENT.replace("event_name", "event_nam").encode() + b"\n"),
        ],
        exports.PRODUCTS: [
            ("bad_number", b"99999901,Price on request,,Grocery,Grocery,Own brand,ask,,true,,69,\n")
        ],
        exports.STOCK: [("bad_number", b"367,1082185B,many,0.31\n")],
    }


def break_rows(folder: Path, report: Callable[[], None] = lambda: None) -> list[Broken]:
    """Insert the broken rows, and a byte order mark at the start of May's tills.

    Parameters
    ----------
    folder : Path
        The workspace with its exports.
    report : callable
        Called after each file.

    Returns
    -------
    list of Broken
        In the order of files and lines.
    """
    broken: list[Broken] = []
    for name, rows in sorted(_rows().items()):
        path = folder / name
        lines = path.read_bytes().splitlines(keepends=True)
        for position, (kind, row) in enumerate(rows, 1):
            # a truncated file ends within the row, without a line end; others contain it
            last = not row.endswith(b"\n")
            at = len(lines) if last else _seam(lines, len(lines) * position // (len(rows) + 1))
            lines.insert(at, row)
            broken.append(Broken(name, at + 1, kind, _REASONS.get(kind, kind)))
        path.write_bytes(b"".join(lines))
        report()
    with_mark = folder / exports.TILLS / "tills-2017-05.csv"
    with_mark.write_bytes(b"\xef\xbb\xbf" + with_mark.read_bytes())
    return broken


def _seam(lines: list[bytes], near: int) -> int:
    """Find the next boundary between two orders: where the first column changes."""
    at = max(1, near)
    while at < len(lines) and lines[at].split(b",")[0] == lines[at - 1].split(b",")[0]:
        at += 1
    return at
