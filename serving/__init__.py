"""The HTTP service: thin routes over the library."""
