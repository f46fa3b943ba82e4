"""The languages of the compiler, top to bottom: immutable values that every pass reads and returns."""
