"""Arrays become an artefact, and come back."""
