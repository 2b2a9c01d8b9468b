"""The applications over HTTP."""
