"""Approaches that learn from images of sound."""
