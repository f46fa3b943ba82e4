"""What VNN-COMP calls an instance: made, bounded, and lowered."""
