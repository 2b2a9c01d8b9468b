"""The studio: the applications as a page in the browser, on this machine."""
