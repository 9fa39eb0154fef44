"""Major incidents: proposed, accepted and run from one page, told to those who wait, and reviewed afterwards."""
