"""What approaches make of a window before they learn: features made by hand, and images."""
