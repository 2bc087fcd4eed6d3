"""The choices made in training for classes that are rare, compared on equal terms: `echonet-models choices`."""
