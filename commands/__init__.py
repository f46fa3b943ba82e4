"""The commands of the command line: each reads its arguments, runs, and returns an exit code."""
