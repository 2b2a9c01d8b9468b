"""What `evaluate` measures: one file per family of figures."""
