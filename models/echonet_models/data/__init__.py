"""The recordings, what the teachers make of them, and which of them a network may hear."""
