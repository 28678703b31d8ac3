"""What jobs ask for, what a study costs, how far it is."""
