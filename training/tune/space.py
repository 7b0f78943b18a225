"""What is searched: which settings of a workspace, where, and in which groups.

Settings come in; dimensions for the sampler come out, and settings again from what it proposes.
Called by ``omnibasket tune``. The ranges stand in ``recsys.config.search_space``.

One trial changes a few settings of one group, a model or the ranker, and leaves all others as they
were in the best trial so far: only that model is learned anew, and what a change gave is seen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from recsys.config import Config, Range, Settings, search_space, unknown_name
from recsys.errors import ConfigError

#: Setting, by its dotted path → value.
Values = dict[str, int | float]

#: Settings that one trial changes, at most: of more, some would ride along without doing any good.
TOGETHER: Final = 3


class Turn(NamedTuple):
    """What one trial changes.

    Attributes
    ----------
    group : str
        Name of a model, or of another section.
    settings : tuple of str
    """

    group: str
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """Settings that are searched.

    Attributes
    ----------
    ranges : dict of str to Range
        By setting.
    whole : frozenset of str
        Settings that are whole numbers.
    present : dict of str to float
        As they are set now.
    defaults : dict of str to float
        As they are where nothing is set.
    groups : dict of str to list of str
        Settings by the name of the model or section.
    """

    ranges: dict[str, Range]
    whole: frozenset[str]
    present: Values
    defaults: Values
    groups: dict[str, list[str]]

    @classmethod
    def of(cls, config: Config, only: Collection[str] = ()) -> "Space":
        """Find everything that can be searched.

        Parameters
        ----------
        config : Config
        only : collection of str
            Names of groups; all of them where it is empty.

        Raises
        ------
        ConfigError
            When there is no such group, or it is switched off.
        """
        ranges: dict[str, Range] = {}
        whole: set[str] = set()
        present: Values = {}
        groups: dict[str, list[str]] = {}
        for setting, kind, value in _numeric(config):
            found = search_space.of(setting, kind, value)
            if found is None or found.low == found.high:
                continue
            groups.setdefault(group_of(setting), []).append(setting)
            ranges[setting], present[setting] = found, value
            if search_space.is_whole(kind):
                whole.add(setting)
        for name in only:
            _check(name, groups, config)
        kept = [
            name for group, names in groups.items() if not only or group in only for name in names
        ]
        defaults = _defaults(config)
        return cls(
            {name: ranges[name] for name in kept},
            frozenset(whole & set(kept)),
            {name: present[name] for name in kept},
            {name: defaults[name] for name in kept},
            {group: names for group, names in groups.items() if not only or group in only},
        )

    def dimensions(self) -> dict[str, BaseDistribution]:
        """What the sampler is told of every setting."""
        found: dict[str, BaseDistribution] = {}
        for name, (low, high, _, log) in self.ranges.items():
            if name in self.whole:
                found[name] = IntDistribution(int(low), int(high), log=log)
            else:
                found[name] = FloatDistribution(float(low), float(high), log=log)
        return found

    def turn(self, number: int, seed: int) -> Turn:
        """Say what a trial changes: in a round of them, every setting once.

        Parameters
        ----------
        number : int
            From 1; 0 is that of the present settings.
        seed : int
            Of the order; it is another one in every round.
        """
        per_round = sum(-(-len(names) // TOGETHER) for names in self.groups.values())
        round_, place = divmod(number - 1, per_round)
        rng = np.random.default_rng([seed % 2**32, round_])
        turns: list[Turn] = []
        for group, names in self.groups.items():
            mixed = [names[ix] for ix in rng.permutation(len(names))]
            parts = -(-len(names) // TOGETHER)
            turns += [Turn(group, tuple(sorted(mixed[part::parts]))) for part in range(parts)]
        return turns[int(rng.permutation(per_round)[place])]

    def values(
        self, settings: Collection[str], proposed: Mapping[str, float], best: Values
    ) -> Values:
        """Settings of a trial: some as proposed, the others as in ``best``.

        Numbers get three digits, or three decimals of their range where it is searched by steps:
        that says all that figures can tell apart.
        """
        found = dict(best)
        for name in settings:
            value, (low, high, _, log) = proposed[name], self.ranges[name]
            if name in self.whole:
                found[name] = int(value)
                continue
            places = 2 - floor(log10(abs(value) if log else high - low)) if value else 0
            rounded = round(float(value), places + (0 if log else 1))
            found[name] = min(max(rounded, float(low)), float(high))
        return found

    def changed(self, values: Values) -> dict[str, tuple[float, float]]:
        """Settings that differ from the present ones: present value, and the other."""
        return {
            name: (self.present[name], value)
            for name, value in values.items()
            if value != self.present[name]
        }

    def describe(self) -> dict[str, list[Any]]:
        """Everything that makes two searches the same, as plain values."""
        return {name: [*found, name in self.whole] for name, found in self.ranges.items()}


def applied(config: Config, values: Values) -> Config:
    """Return a workspace's settings with other values of some.

    Parameters
    ----------
    config : Config
    values : dict of str to float
    """
    changed: dict[str, Settings] = {}
    for section in search_space.SECTIONS:
        within = {name: value for name, value in values.items() if name.split(".")[0] == section}
        if not within:
            continue
        held = getattr(config, section)
        plain = msgspec.to_builtins(held)
        for name, value in within.items():
            *parents, last = name.split(".")[1:]
            table = plain
            for parent in parents:
                table = table[parent]
            table[last] = value
        changed[section] = msgspec.convert(plain, type(held))
    return msgspec.structs.replace(config, **changed)


def group_of(setting: str) -> str:
    """Name of what a setting belongs to: a model, or another section."""
    section, name = setting.split(".")[:2]
    return name if section == "models" else section


def _numeric(config: Config) -> list[tuple[str, Any, Any]]:
    return [
        found
        for section in search_space.SECTIONS
        if isinstance(held := getattr(config, section, None), Settings)
        for found in search_space.numeric(held, section)
    ]


def _defaults(config: Config) -> Values:
    """Value of every searched setting where nothing is set."""
    plain = {
        section: msgspec.to_builtins(type(held)())
        for section in search_space.SECTIONS
        if isinstance(held := getattr(config, section, None), Settings)
    }
    found: Values = {}
    for setting, _, _ in _numeric(config):
        value: Any = plain
        for part in setting.split("."):
            value = value[part]
        found[setting] = value
    return found


def _check(name: str, groups: Mapping[str, object], config: Config) -> None:
    if name in groups:
        return
    model = getattr(config.models, name, None) if name in config.models.__struct_fields__ else None
    if model is not None and not getattr(model, "enabled", True):
        raise ConfigError(
            f"--only: `{name}` is switched off. Search it with `--set models.{name}.enabled=true`."
        )
    raise ConfigError(f"--only: {unknown_name(name, groups)}")
