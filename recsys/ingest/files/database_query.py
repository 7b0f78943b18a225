"""Saves the result of a database query as a file, to be read like any export.

In: a source with a SQLAlchemy URL and a query. Out: a Parquet file of text columns, written in
batches so that memory does not grow with the result. Called by ``staging``.
"""

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from recsys.config import Source, config_from_environment
from recsys.errors import ConfigError, DataError
from recsys.ingest.files.export_files import SourceFile
from recsys.messages import without_secrets

_BATCH = 50_000


def fetch(name: str, source: Source, folder: Path) -> SourceFile:
    """Run a source's query and save its rows as a Parquet file until the ingest ends.

    Parameters
    ----------
    name : str
        The source's name.
    source : Source
        With ``url`` and ``query``.
    folder : Path
        Folder for the file.

    Raises
    ------
    ConfigError
        When the URL is invalid, or its driver is not installed.
    DataError
        When the database cannot be reached or refuses the query; the message never shows the
        password.
    """
    url = config_from_environment(cast(str, source.url), f"sources.{name}.url")
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError):
        raise ConfigError(
            f"sources.{name}.url: not a database URL such as postgresql://user@host/name."
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"sources.{name}.url: the driver `{error.name}` is not installed. For PostgreSQL: "
            'pip install "omnibasket[postgres]".'
        ) from None
    path = folder / f"query-{name}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with engine.connect().execution_options(stream_results=True, max_row_buffer=_BATCH) as con:
            result = con.execute(sa.text(cast(str, source.query)))
            columns = list(result.keys())
            if len(set(columns)) < len(columns):
                raise DataError(f"sources.{name}: two columns of the query have the same name.")
            schema = pa.schema([(column, pa.string()) for column in columns])
            with pq.ParquetWriter(path, schema) as writer:
                for rows in result.partitions(_BATCH):
                    texts = [[_text(value) for value in row] for row in rows]
                    digest.update(repr(texts).encode())
                    arrays = [pa.array(column, pa.string()) for column in zip(*texts, strict=True)]
                    writer.write_batch(pa.record_batch(arrays, schema=schema))
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        shown = without_secrets(repr(engine.url))
        raise DataError(
            f"sources.{name}: {shown}: {reason}. Check `url`, `query` and that the database is up."
        ) from None
    finally:
        engine.dispose()
    return SourceFile(path, f"query of {name}", digest.hexdigest())


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
