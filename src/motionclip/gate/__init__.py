"""The gate for what comes from outside: arrays, tensors and documents, bounded and checked before they are used."""
