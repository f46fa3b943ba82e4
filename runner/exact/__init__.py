"""Exact arithmetic: attacks repaired, certified and replayed; the game between attacker and defender."""
