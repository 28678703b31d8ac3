"""What stages write, typed, and the versions of their recipes."""
