"""What the classifier hears, how often it shouts, and how that is measured."""
