"""Where images come from: downloads, archives, layouts, built-in datasets, splits, stores."""
