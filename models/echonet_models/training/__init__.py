"""Fine-tuning: batches, losses, the loop, and the folds."""
