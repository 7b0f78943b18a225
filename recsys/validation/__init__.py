"""Measures how good answers would have been, without leaking the future."""
