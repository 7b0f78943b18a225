"""Converts GA4 events in a table to the JSON objects of GA4's own export.

In: a table's columns (``event_name``, ``items.item_id``, ``event_params.ga_session_id`` …). Out:
SQL for one JSON text per row, as ``events`` reads it. Called by ``export_files``.
"""

import re
from typing import Any

from recsys.query_engine import quote, quote_name

#: Case-folded column → path in the event. Other columns keep their name.
PLACES = {
    "item_id": "items.item_id",
    "item_name": "items.item_name",
    "item_price": "items.price",
    "item_quantity": "items.quantity",
    "item_currency": "items.currency",
    "quantity": "items.quantity",
    "price": "items.price",
    "ga_session_id": "event_params.ga_session_id",
    "session_number": "event_params.session_number",
}
_TOP_TEXT = (
    "event_id event_name event event_timestamp event_date occurred_at session_id channel "
    "platform location_id currency transaction_id user_pseudo_id user_id event_params ecommerce "
    "items"
)
_TOP = tuple(_TOP_TEXT.split())
_VALUES = ("string_value", "int_value", "double_value", "float_value")
Tree = dict[str, Any]


def event_sql(columns: list[str]) -> str:
    """Return SQL for one JSON text per row; invalid JSON under ``items`` is returned unchanged.

    Such a row is then rejected instead of becoming an event without products.
    """
    tree: Tree = {}
    for column in columns:
        path = _path(column)
        branch = tree
        for key in path[:-1]:
            inner = branch.setdefault(key, {})
            if not isinstance(inner, dict):  # both `items` and `items.item_id`
                inner = branch[key] = {"": inner}
            branch = inner
        leaf = branch.get(path[-1])
        if isinstance(leaf, dict):
            leaf[""] = quote_name(column)
        elif leaf is None:
            branch[path[-1]] = quote_name(column)
    _add_time(tree)
    items, params = tree.pop("items", None), tree.pop("event_params", None)
    fields = [f"'{quote(key)}', {_value(value)}" for key, value in tree.items()]
    if items is not None:
        fields.append(f"'items', {_items(items)}")
    if params is not None:
        fields.append(f"'event_params', {_params(params)}")
    made = f"json_object({', '.join(fields)})::VARCHAR"
    text = items.get("") if isinstance(items, dict) else items
    if text is None:
        return made
    return f"CASE WHEN {text} IS NULL OR json_valid({text}) THEN {made} ELSE {text} END"


def _path(column: str) -> list[str]:
    folded = re.sub(r"[\s-]+", "_", column.strip().lower())
    folded = re.sub(r"\[\d*\]|\.\d+(?=\.|$)|\.value(?=\.|$)|\.(list|element)(?=\.)", "", folded)
    folded = PLACES.get(folded, folded)
    path = folded.replace("__", ".").split(".")
    if path[0] == "event_params" and len(path) > 2 and path[-1] in _VALUES:
        path = path[:-1]
    return path if path[0] in _TOP else column.split(".")


def _add_time(tree: Tree) -> None:
    """Move dates, and times not in microseconds, to the field for ISO 8601 times."""
    stamp, day = tree.pop("event_timestamp", None), tree.pop("event_date", None)
    written = [tree["occurred_at"]] if "occurred_at" in tree else []
    if stamp is not None:
        micros = rf"regexp_full_match({stamp}, '\d{{14,}}')"
        tree["event_timestamp"] = f"CASE WHEN {micros} THEN {stamp} END"
        written.append(f"CASE WHEN NOT {micros} THEN {stamp} END")
    if day is not None:
        iso = rf"regexp_replace({day}, '^(\d{{4}})(\d\d)(\d\d)$', '\1-\2-\3')"
        written.append(iso if stamp is None else f"CASE WHEN {stamp} IS NULL THEN {iso} END")
    if written:
        tree["occurred_at"] = f"coalesce({', '.join(written)})"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        own = value.get("")
        made = ", ".join(f"'{quote(k)}', {_value(v)}" for k, v in value.items() if k)
        inner = f"json_object({made})"
        return f"CASE WHEN {_is_json(own)} THEN {own}::JSON ELSE {inner} END" if own else inner
    return f"CASE WHEN {_is_json(value)} THEN {value}::JSON ELSE to_json({value}) END"


def _items(items: Any) -> str:
    if not isinstance(items, dict):
        return f"CASE WHEN {items} LIKE '{{%' THEN json_array({items}::JSON) ELSE {items}::JSON END"
    leaves = [value for key, value in items.items() if key and not isinstance(value, dict)]
    fields = ", ".join(f"'{quote(key)}', {_value(value)}" for key, value in items.items() if key)
    single = f"json_array(json_object({fields}))"
    made = f"CASE WHEN coalesce({', '.join(leaves)}) IS NOT NULL THEN {single} END"
    return f"coalesce({_items(items[''])}, {made})" if "" in items else made


def _params(params: Any) -> str:
    if not isinstance(params, dict):
        return _value(params)
    made = ", ".join(
        f"json_object('key', '{quote(key)}', 'value', json_object('string_value', {value}))"
        for key, value in params.items()
        if key and not isinstance(value, dict)
    )
    listed = f"json_array({made})"
    own = params.get("")
    return f"CASE WHEN {_is_json(own)} THEN {own}::JSON ELSE {listed} END" if own else listed


def _is_json(value: str) -> str:
    return f"({value}[1] IN ('{{', '[') AND json_valid({value}))"
