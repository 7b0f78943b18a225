"""Rules by which rows of an export are rejected: a condition, a reason and the value to show.

In: rules, added as fields are read. Out: expressions for the table of rejects. Called by
``fields``.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

import ibis
import ibis.expr.types as ir

_MAX_DETAIL = 200


class RejectRule(NamedTuple):
    """The condition, reason, field and value of a reject."""

    reason: str
    field: str
    condition: ir.Value
    value: ir.Value


class RejectRules:
    """The rules of one export in order of precedence: the first that holds applies."""

    def __init__(self) -> None:
        self._rules: list[RejectRule] = []

    def add(self, reason: str, field: str, condition: ir.Value, value: ir.Value) -> None:
        """Add a rule; a condition that is null does not hold."""
        self._rules.append(RejectRule(reason, field, condition, value))

    def clear(self) -> None:
        """Drop all rules."""
        self._rules.clear()

    def count(self) -> ir.Value:
        """Return how many rules hold for a row."""
        count: ir.Value = ibis.literal(0, "int8")
        for rule in self._rules:
            # A sum: with `or`, the engine would compute shared parts of conditions repeatedly.
            count = count + rule.condition.fill_null(False).cast("int8")
        return count

    def condition(self, reason: str) -> ir.Value:
        """Return the condition of the only rule with this reason."""
        (condition,) = [rule.condition for rule in self._rules if rule.reason == reason]
        return condition

    def reason(self) -> ir.Value:
        """Return the reason of the first rule that holds, else null."""
        return cast(
            ir.Value,
            ibis.cases(*((rule.condition.fill_null(False), rule.reason) for rule in self._rules)),
        )

    def detail(self, hints: Mapping[str, str]) -> ir.Value:
        """Return the field and value of the first rule that holds, else null.

        Parameters
        ----------
        hints : mapping of str to str
            Reason → text to add to the value.
        """
        cases = []
        for reason, field, condition, value in self._rules:
            hinted = value + hints[reason] if reason in hints else value
            text = hinted.cast("string").fill_null("").left(_MAX_DETAIL)
            cases.append((condition.fill_null(False), ibis.literal(f"{field} = ") + text))
        return cast(ir.Value, ibis.cases(*cases))
