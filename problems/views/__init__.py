"""The desk's pages of problems."""
