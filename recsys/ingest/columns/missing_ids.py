"""Rejects rows of an export whose id is a placeholder, which would merge unrelated rows.

Called by the modules of ``sources`` on each of their id columns.
"""

import re

import ibis.expr.types as ir

from recsys.ingest.columns.fields import Fields
from recsys.values import IdKind, no_id_expression, part_is_no_id_expression


def reject_no_id(fields: Fields, field: str, value: ir.StringValue, kind: IdKind = "item") -> None:
    """Reject rows whose id is a placeholder, with the reason ``not_an_id``.

    Parameters
    ----------
    fields : Fields
        The export.
    field : str
        The field's name, as in ``[sources.NAME.columns]``.
    value : ibis column
        The field's text, from ``Fields.text``.
    kind : {"item", "order", "account"}
        The kind of id.
    """
    condition = no_id_expression(value, kind)
    spec = fields.source.columns.get(field)
    if spec is not None and not isinstance(spec, str) and len(spec.columns) > 1 and spec.join:
        condition = condition | part_is_no_id_expression(value, spec.join)
    if kind != "item":
        condition = condition & ~value.isin(_first_of_numbers(fields, value, kind))
    shown = condition.ifelse("(hidden)", None) if fields.names_people(field) else value
    fields.reject("not_an_id", field, condition, shown)


def _first_of_numbers(fields: Fields, value: ir.StringValue, kind: IdKind) -> list[str]:
    """Return the zeros whose successor is present: if numbering starts at 0, zero is an id."""
    zeros = fields.distinct(value, no_id_expression(value, kind) & ~no_id_expression(value))
    after = {zero: re.sub(r"0(?=[^0-9]*$)", "1", zero) for zero in zeros}
    present = fields.distinct(value, value.isin([*after.values()])) if after else []
    return [zero for zero, successor in after.items() if successor != zero and successor in present]
