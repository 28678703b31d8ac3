"""From records to one checked table."""
