"""The pages on which the desk is set up: tickets, people, service levels. Mounted at /desk/settings/."""
