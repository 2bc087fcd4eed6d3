"""Sounds mixed on the fly, for the network to learn from."""
