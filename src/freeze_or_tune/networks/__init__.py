"""Networks as numbered blocks."""
