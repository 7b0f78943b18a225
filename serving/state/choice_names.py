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
        self._names: dict[str, str] = {}
        self._positions: dict[str, int] = {}

    def of(self, item_ids: Sequence[str]) -> list[str]:
        """Name the choice of each product, as ``Engine.choices_of``.

        Parameters
        ----------
        item_ids : sequence of str
        """
        known = self._names
        if new := [item_id for item_id in item_ids if item_id not in known]:
            known.update(zip(new, self.engine.choices_of(new), strict=True))
        return [known[item_id] for item_id in item_ids]

    def positions(self, names: Sequence[str]) -> list[int]:
        """Return where the first product of each choice stands; -1 where it is not known.

        Parameters
        ----------
        names : sequence of str
            As of ``of``.
        """
        known = self._positions
        if new := [name for name in names if name not in known]:
            known.update(zip(new, self.engine.index.ix_of(new).tolist(), strict=True))
        return [known[name] for name in names]
