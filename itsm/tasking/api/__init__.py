"""Tasks in the API."""
