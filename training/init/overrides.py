"""Applies settings from the command line: ``--set SOURCE.SETTING=VALUE``.

In: texts and the proposal for a source. Out: the proposal with these settings. Called by the
command and by ``questions``, which converts typed answers to the same form.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from click import UsageError

from recsys.config import Column, Source, explain_error
from training.init.names import MONEY
from training.init.proposal import Proposal

_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."=]+)')


@dataclass(frozen=True)
class Override:
    """One setting of a source and its value; ``None`` removes it."""

    source: str
    path: tuple[str, ...]
    value: Any
    given: str

    @property
    def setting(self) -> str:
        """The setting's name as used in questions."""
        return ".".join(self.path)


def parse(texts: Sequence[str]) -> list[Override]:
    """Read ``SOURCE.SETTING=VALUE`` texts.

    Raises
    ------
    UsageError
        When a text does not have this form.
    """
    return [_parse(text) for text in texts]


def _parse(text: str) -> Override:
    parts: list[str] = []
    position = 0
    while match := _PART.match(text, position):
        parts.append(match.group(1) if match.group(1) is not None else match.group(2).strip())
        position = match.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    if len(parts) < 2 or text[position : position + 1] != "=":
        raise UsageError(
            f"--set {text}: write SOURCE.SETTING=VALUE, for example "
            '--set orders.columns.amount="Net Sales".'
        )
    return Override(parts[0], tuple(parts[1:]), _value(text[position + 1 :]), text)


def _value(text: str) -> Any:
    """Read a TOML value; other text stays as it is, and an empty text is None."""
    plain = text.strip()
    if not plain:
        return None
    if plain[0] in "\"'[{" or plain in ("true", "false"):
        try:
            return tomllib.loads(f"value = {plain}")["value"]
        except tomllib.TOMLDecodeError:
            return plain
    return plain


def apply(proposal: Proposal, overrides: Sequence[Override]) -> None:
    """Apply settings to a proposal, and drop the questions that they answer.

    Raises
    ------
    UsageError
        When a setting is unknown, or its value has the wrong type.
    """
    for override in overrides:
        head, *rest = override.path
        if head in ("columns", "identifiers"):
            _set_column(proposal, override, rest)
        elif head in Source.__struct_fields__ and not rest:
            _set_plain(proposal, override)
        else:
            known = ", ".join(Source.__struct_fields__)
            raise UsageError(
                f"--set {override.given}: unknown setting `{override.setting}`. Known: {known}."
            )
    proposal.questions = [
        question
        for question in proposal.questions
        if not any(
            _answers(override, setting) for override in overrides for setting in question.settings
        )
    ]


def _answers(override: Override, setting: str) -> bool:
    return override.setting == setting or override.setting.startswith(f"{setting}.")


def _set_column(proposal: Proposal, override: Override, rest: list[str]) -> None:
    table = getattr(proposal, override.path[0])
    if not rest:
        raise UsageError(f"--set {override.given}: add a field after `{override.path[0]}`.")
    field, *inner = rest
    if inner:
        old = table.get(field)
        plain: dict[str, Any] = (
            {"column": old} if isinstance(old, str) else _plain(old) if old else {}
        )
        if field in proposal.values and not old:
            plain = {"column": proposal.values[field][0]}
        where: Any = plain
        for part in inner[:-1]:
            where = where.setdefault(part, {})
        where[inner[-1]] = override.value
        value: Any = plain
    else:
        value = override.value
    proposal.values.pop(field, None)
    if field in proposal.needed:
        proposal.needed.remove(field)
    if value is None:
        table.pop(field, None)
        if field not in proposal.optional and override.path[0] == "columns":
            proposal.optional.append(field)
        return
    if field in proposal.optional:
        proposal.optional.remove(field)
    if isinstance(value, str) and field in MONEY:  # a column belongs to one money field only
        for other in [o for o, spec in table.items() if spec == value and o in MONEY]:
            del table[other]
    table[field] = _column(value, override)
    if field == "channel":
        proposal.settings.pop("channel", None)


def _column(value: Any, override: Override) -> str | Column:
    if isinstance(value, str):
        return value
    try:
        return msgspec.convert(value, Column)
    except msgspec.ValidationError:
        raise _refused(override, value, Column) from None


def _plain(spec: Column) -> dict[str, Any]:
    plain = msgspec.to_builtins(Column())
    return {k: v for k, v in msgspec.to_builtins(spec).items() if v != plain[k]}


def _set_plain(proposal: Proposal, override: Override) -> None:
    name = override.path[0]
    if name in ("kind", "path"):
        raise UsageError(f"--set {override.given}: set the {name} with --source KIND=PATH.")
    if override.value is None:
        proposal.settings.pop(name, None)
        return
    kind = next(f.type for f in msgspec.structs.fields(Source) if f.name == name)
    try:
        proposal.settings[name] = msgspec.convert(override.value, kind, strict=False)
    except msgspec.ValidationError:
        raise _refused(override, override.value, kind) from None


def _refused(override: Override, value: Any, kind: Any) -> UsageError:
    where, message = explain_error(value, kind, override.setting) or (
        override.setting,
        "does not fit.",
    )
    return UsageError(f"--set {override.given}: {where}: {message}")
