"""ensc: an optimizing compiler for the verification of classifier ensembles."""
