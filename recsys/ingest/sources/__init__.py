"""Exports of known layouts become staged order lines, events, products and stock.

In: typed columns of one file. Out: one staged table. One module a layout. Called by
``ingest.stage``.
"""
