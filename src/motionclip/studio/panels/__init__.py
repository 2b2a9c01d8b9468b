"""The panels of a page: a function for each adds its fields to a session's page and says what they do."""
