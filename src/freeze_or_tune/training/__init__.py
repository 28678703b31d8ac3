"""Training: views of images, the solver, the cached frozen prefix, the loop."""
