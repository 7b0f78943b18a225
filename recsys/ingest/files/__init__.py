"""Files of any format become tables of clean text, each row with its place in the file.

In: a CSV, JSON, XML or Parquet file, or a database query. Out: ``RawTable``. Called by ``ingest``
and by ``omnibasket init``.
"""
