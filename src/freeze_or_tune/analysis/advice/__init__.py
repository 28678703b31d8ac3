"""One's own images among the experiments."""
