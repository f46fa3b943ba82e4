"""Languages, and the passes between them. Reads inputs, returns values; runs no solver, writes no file."""
