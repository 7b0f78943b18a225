"""Parts, one for each file that was read, and the manifest that lists them.

A part is a folder of Parquet under ``staged/``: a file's typed rows, the identifiers they showed,
its rejects. ``staging`` makes parts, ``staged`` reads them, ``summary`` counts them.
"""

import shutil
from collections.abc import Collection

import msgspec

from recsys.config import ORDER_KINDS, Config

#: Increase it when the content of a part changes, so that older files are read again.
FORMAT = 2
FOLDER = "staged"
MANIFEST = "manifest.json"
#: Files of a part: its typed rows, the identifiers they showed, its rejects.
ROWS, SEEN, REJECTED = "rows.parquet", "identifiers.parquet", "rejects.parquet"
#: What its rows say that customers consent to, where its source has such columns.
CONSENTS = "consents.parquet"


class Part(msgspec.Struct, kw_only=True):
    """One file of one source that was read."""

    source: str
    kind: str
    file: str
    content: str
    settings: str
    sequence: int
    folder: str
    rows: int = 0
    """Records in the file, whatever became of them."""
    added: int = 0
    """Return lines made from refunds, beyond the file's records."""
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
    """Records that could not be read, by reason."""
    repeated: int = 0
    """Lines of orders that the file repeats."""
    left_out: dict[str, int] = msgspec.field(default_factory=dict)
    """Records of products, locations or stock that list none, by rule."""
    rows_gone: int = 0
    """Lines of a part that was removed because later exports replaced every order of it."""
    notes: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows that were accepted although they may be wrong, by note; see ``notes``."""
    examples: dict[str, str] = msgspec.field(default_factory=dict)
    """The first case of a note, in words."""
    written_ts: int = 0
    """When the file was written, or the end of the day that its name says where that is earlier;
    UTC epoch seconds."""
    newest_ts: int = 0
    """The latest time of an order in it, UTC epoch seconds; 0 where it has none."""
    dates_only: bool = False
    """Whether its orders have no time of day."""
    rows_dropped: bool = False
    """Whether its rows are gone, since later exports replaced every order of it."""


class Manifest(msgspec.Struct):
    """All parts that the history is made of."""

    format: int = FORMAT
    parts: list[Part] = msgspec.field(default_factory=list)

    @classmethod
    def load(cls, config: Config) -> "Manifest":
        """Read the manifest; an empty one where there is none or of another format.

        Parameters
        ----------
        config : Config
            Its ``state`` folder holds the manifest.

        Returns
        -------
        Manifest
            All parts that earlier ingests read.
        """
        path = config.state / FOLDER / MANIFEST
        if not path.exists():
            return cls()
        manifest = msgspec.json.decode(path.read_bytes(), type=cls)
        return manifest if manifest.format == FORMAT else cls()

    def save(self, config: Config) -> None:
        """Write the manifest in one atomic replace, and remove parts it no longer names.

        Parameters
        ----------
        config : Config
            Its ``state`` folder takes the manifest.
        """
        folder = config.state / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{MANIFEST}"
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        beside.replace(folder / MANIFEST)
        kept = {part.folder for part in self.parts}
        for found in folder.iterdir():
            if found.is_dir() and found.name not in kept:
                shutil.rmtree(found)
        for part in self.parts:
            if part.rows_dropped:
                for name in (ROWS, SEEN):
                    (folder / part.folder / name).unlink(missing_ok=True)


def drop_replaced(manifest: Manifest, standing: Collection[int], sources: Collection[str]) -> None:
    """Forget the rows of order exports of which later ones replaced every order.

    The parts stay listed, so that their files are not taken for new ones, and what was rejected of
    them stays readable. Parts of a source that is not among ``sources``, the named ones, keep their
    rows: nothing has replaced them, and the source may be named again.

    Parameters
    ----------
    manifest : Manifest
        Its parts are marked in place; ``save`` deletes their rows.
    standing : collection of int
        ``sequence`` of each part whose rows are still needed, as ``unify`` returns them.
    sources : collection of str
        Names of the sources that the settings have.
    """
    for part in manifest.parts:
        read = part.kind in ORDER_KINDS and part.source in sources and not part.rows_dropped
        if read and part.sequence not in standing:
            part.rows_gone = part.rows - part.repeated - sum(part.rejected.values())
            part.rows_dropped = True
