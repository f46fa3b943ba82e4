"""The game solver: the problem split over data points into small queries and a tiny linear program."""
