"""Answers and events become a ledger."""
