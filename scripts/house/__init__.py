"""A small real house for demo, tests and benchmarks: Home Assistant, a satellite, a sound card, a phone."""
