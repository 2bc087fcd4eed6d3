"""Sound that is kept because the owner wants it: five seconds before a detection to five seconds after."""
