"""Offers: issued within a budget, redeemed once, settled when orders come back.

In: decisions of marketers, orders that use offers. Out: offers that stand, and what they take off.
Called by ``ledger.ledger`` and by the service.
"""
