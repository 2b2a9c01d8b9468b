"""A model for programs that have no torch."""
