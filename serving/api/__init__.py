"""The routes under ``/v1``: each module a blueprint whose views read, ask, and answer."""
