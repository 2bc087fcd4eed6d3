"""Approaches on features made by hand: support vectors, a small network, mixtures, hidden Markov models."""
