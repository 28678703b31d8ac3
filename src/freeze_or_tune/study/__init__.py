"""What is studied, typed: pure Python, imported by the Snakefile."""
