"""A retailer's weeks, played against the real service: behaviour, channels, and an audit.

In: a history of real baskets. Out: what was shown to whom, and what of it should not have been.
Called by ``benchmarks.conversation``.
"""
