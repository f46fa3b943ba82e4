"""Pure passes from one language of the compiler to the next."""
