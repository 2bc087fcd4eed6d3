"""Training, evaluation and export of EchoNet's classifier."""
