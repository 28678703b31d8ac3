"""Tables of files and labels as people have them: their text, what their columns mean, and which files they name."""
