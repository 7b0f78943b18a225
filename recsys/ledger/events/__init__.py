"""Reported events: checked, hashed, and written once.

In: events as channels send them. Out: rows of the ledger. Called by ``ledger.ledger`` and by the
service.
"""
