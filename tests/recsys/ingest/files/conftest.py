"""Fixtures that write an export and open it."""

from pathlib import Path
from typing import Any

import pytest

from recsys.config.toml_file import Source
from recsys.ingest.files.export_files import RawTable, SourceFile, open_lines, open_text
from recsys.ingest.files.survey import survey
from tests.recsys.ingest.files.opening import CON, Open


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Write a file and open it; return the table and its rows with ``_row`` first."""

    def make(
        content: str | bytes, name: str = "x.csv", kind: str = "order_lines", **source: Any
    ) -> tuple[RawTable, list[tuple[Any, ...]]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        file = SourceFile(path, name, survey(path, name).digest)
        opener = open_lines if kind == "ga4_events" else open_text
        raw = opener(CON, file, Source(kind=kind, path=name, **source), tmp_path)  # type: ignore[arg-type]
        rows = CON.raw_sql(f'SELECT * FROM "{raw.table.get_name()}" ORDER BY 1').fetchall()
        return raw, rows

    return make
