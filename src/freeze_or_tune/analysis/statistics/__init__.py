"""What the table says, and how surely."""
