"""Remembers the choices of products over one catalogue, since the same ones are shown again.

Ids of products come in; names and positions of their choices come out. Used by ``contact_policy``.
"""

from collections.abc import Sequence

from recsys.recommender import Engine


class ChoiceNames:
    """The choices of products, as far as they were asked for.

    Parameters
    ----------
    engine : Engine
        Knows the catalogue.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._names = _Names(engine)
        self._positions = _Positions(engine)

    def of(self, item_ids: Sequence[str]) -> list[str]:
        """Name the choice of each product, as ``Engine.choices_of``.

        Parameters
        ----------
        item_ids : sequence of str
        """
        return [*map(self._names.__getitem__, item_ids)]

    def positions(self, names: Sequence[str]) -> list[int]:
        """Return where the first product of each choice stands; -1 where it is not known.

        Parameters
        ----------
        names : sequence of str
            As of ``of``.
        """
        return [*map(self._positions.__getitem__, names)]


class _Names(dict[str, str]):
    """Product → name of its choice."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def __missing__(self, item_id: str) -> str:
        (name,) = self._engine.choices_of([item_id])
        self[item_id] = name
        return name


class _Positions(dict[str, int]):
    """Name of a choice → position of its first product."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def __missing__(self, name: str) -> int:
        self[name] = position = int(self._engine.index.ix_of([name])[0])
        return position
