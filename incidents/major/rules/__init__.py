"""Rules that propose or accept major incidents by themselves, as tickets change (feature MI-2)."""
