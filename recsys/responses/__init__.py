"""Ordered items become an answer."""
