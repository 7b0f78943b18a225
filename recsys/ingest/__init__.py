"""Exports and reported events become one history.

In: a workspace's exports, and what the ledger was told. Out: a new version of the history, with
rejects and a summary. Called by ``omnibasket ingest``.
"""
