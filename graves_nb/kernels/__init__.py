"""Fast paths: the same numbers as the loop in `models.py`, sooner."""
