"""Compiled queries and instances as files."""
