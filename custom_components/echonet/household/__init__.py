"""What belongs to the home and not to one satellite: incidents, policy and alerts."""
