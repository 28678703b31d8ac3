"""Files of others: where they come from, and that they are whole."""
