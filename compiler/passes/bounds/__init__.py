"""What every value of a network lies between, sound in real arithmetic."""
