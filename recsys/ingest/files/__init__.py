"""Opens files of any format as tables of clean text; each row knows its line in the file.

In: a CSV, JSON, XML or Parquet file, or a database query. Out: ``RawTable``. Called by ``ingest``
and by ``omnibasket init``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
