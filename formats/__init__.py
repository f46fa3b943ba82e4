"""Text of files, and nothing else: one module for each format, deterministic bytes."""
