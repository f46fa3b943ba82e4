"""What a network computes, in float64 and in exact rationals, and which way it grows."""
