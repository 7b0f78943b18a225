"""Customers in the ledger: looked up by identifier, kept up to date, replaced by an ingest.

In: identifiers, events, rows of an ingest. Out: rows of customers. Called by ``ledger``.
"""
