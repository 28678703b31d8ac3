"""The report's page: one HTML file with everything in it, to look into a study without any program but a browser."""
