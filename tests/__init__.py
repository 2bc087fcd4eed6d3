"""The tests; a package, because other installed packages bring a `tests` of their own."""
