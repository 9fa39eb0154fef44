"""The component kit: template tags, icons and the style guide. Imports no other room."""
