"""The agents' pages by subject."""
