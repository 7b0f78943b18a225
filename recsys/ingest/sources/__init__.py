"""Adapters that turn exports of known layouts into staged order lines, events, products and stock.

In: typed columns of one file. Out: one staged table. One module per layout. Called by
``ingest.stage``.
"""
