"""Every approach that EchoNet grew from, trained and scored on the same windows of the same recordings."""
