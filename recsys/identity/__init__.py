"""Identifiers that were seen together become the customer behind them.

In: hashed identifiers and how often they met. Out: a customer for each, the links that made it,
and what was refused. Called by ``ingest``, by ``ledger`` for hashing, and by the command line.
"""
