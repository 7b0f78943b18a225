"""Exports and events become one history."""
