"""The verbs of the command line: ingest, learn, measure, publish."""
