"""The stages that join data, networks and training."""
