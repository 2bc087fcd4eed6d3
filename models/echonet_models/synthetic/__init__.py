"""Sounds made up from what is known of how they arise."""
