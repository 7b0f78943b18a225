"""The history becomes numbers."""
