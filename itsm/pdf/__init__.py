"""Documents to print and to keep: a plain page in any script that the fonts have."""
