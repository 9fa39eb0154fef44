"""The agents' room: home, queues across all kinds of ticket, search, and opening a ticket for a caller."""
