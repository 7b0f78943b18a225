"""Turns order lines of one or many files into distinct orders.

In: staged lines. Out: the same lines without duplicates, with corrections, returns and live orders
matched. Called by ``ingest.stage`` for one file and by ``ingest.unify`` for all.
"""
