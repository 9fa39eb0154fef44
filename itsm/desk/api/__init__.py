"""Tickets of every kind over the API: one set of views, which a room mounts with what its kind has of its own."""
