"""The change advisory board: recurring meetings that decide on changes (CH-4)."""
