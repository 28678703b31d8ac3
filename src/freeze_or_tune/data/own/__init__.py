"""One's own images: looked at, and parted."""
