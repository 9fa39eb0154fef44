"""Changes over the API: what every kind has, and the gate of a pipeline."""
