"""Files, locks, hashes, errors, jobs: plumbing that knows nothing of the field."""
