"""Order lines of one or many files become the orders that count, each once.

In: staged lines. Out: the same lines without duplicates, with corrections, returns and live orders
matched. Called by ``ingest.stage`` for one file and by ``ingest.unify`` for all.
"""
