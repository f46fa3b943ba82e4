"""Problems to the piecewise-linear model."""
