"""Syntax tree to `EnsembleProblem`: includes, parameters, members, data, and what they mean together."""
