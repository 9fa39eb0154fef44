"""The agent's pages of an incident."""
