"""Speed against what a researcher would write instead: `make bench`."""
