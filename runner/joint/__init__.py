"""The strategy `joint`: the whole query as one model, built, solved and started."""
