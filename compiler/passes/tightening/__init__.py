"""Bounds from linear programs, each proved from its multipliers."""
