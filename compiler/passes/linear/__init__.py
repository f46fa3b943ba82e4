"""The piecewise-linear model to rows and binaries."""
