"""A small real house, for the demo, the tests and the benchmarks: Home Assistant, a satellite, a sound card, a phone."""
