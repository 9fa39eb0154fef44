"""The agent's pages of a ticket of any kind, at the desk."""
