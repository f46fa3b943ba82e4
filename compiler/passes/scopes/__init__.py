"""What the bounds leave to be said: who can be fooled where, by which classes, with which neurons."""
