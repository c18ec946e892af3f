"""Running a plan on a model; the only package that needs torch."""
