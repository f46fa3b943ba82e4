"""The solvers: each takes a file and gives back a `Solution` and what a claim of it rests on."""
