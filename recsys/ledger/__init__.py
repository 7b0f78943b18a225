"""The ledger: what is remembered between requests and between ingests.

In: events, decisions, offers and updates that channels report. Out: customers' rows, offers that
stand, and a source for the next ingest. Called by the service and the command line.
"""
