"""A history and an artefact become ordered items."""
