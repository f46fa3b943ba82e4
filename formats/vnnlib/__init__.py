"""VNN-LIB 1.0 and 2.0: properties of neural networks, and what the competition around them exchanges.

A property describes a counterexample: `sat` means that there is one.
"""
