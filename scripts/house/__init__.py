"""A small real house: Home Assistant, a satellite, a sound card, a phone. For the demo, the tests and the benchmarks."""
