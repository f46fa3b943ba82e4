"""How far a long run is, in words: points decided, the interval, rate and time left."""

from fractions import Fraction

from ensc.runner.split.settings import Progress


def describe(now: Progress, first: Progress, seconds: float) -> str:
    """Return one line about a run.

    Args:
        now: where it is.
        first: where it was when it began, with what a journal already held.
        seconds: since then.
    """
    parts = [f"{now.decided} of {now.points} points decided"]
    if now.surveyed < now.points:
        parts.append(f"{now.surveyed} surveyed")
    if now.lower is not None or now.upper is not None:
        parts.append(f"interval [{_decimal(now.lower)}, {_decimal(now.upper)}]")
    if now.asked or now.recalled:
        parts.append(f"{now.asked} questions answered" + (f", {now.recalled} recalled" * bool(now.recalled)))
    left = seconds_left(now, first, seconds)
    pace = _pace(now, first, seconds)
    if pace:
        parts.append(pace)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    return "; ".join(parts)


def seconds_left(now: Progress, first: Progress, seconds: float) -> float | None:
    """Return how long the rest takes if it goes on as it went; None before anything is known.

    The survey's end is foreseen by its points. After it, each pattern that is open counts as one question to
    come: an upper estimate, since answers decide other patterns too and the goal may need only some.
    """
    surveyed, asked = now.surveyed - first.surveyed, now.asked - first.asked
    if now.surveyed < now.points:
        return seconds / surveyed * (now.points - now.surveyed) if surveyed else None
    return seconds / asked * now.open if asked else None


def duration(seconds: float) -> str:
    """Return a time span with two units at most, `1 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def _pace(now: Progress, first: Progress, seconds: float) -> str:
    if seconds <= 0:
        return ""
    if now.surveyed < now.points:
        return f"{(now.surveyed - first.surveyed) / seconds:.3g} points/s"
    asked = now.asked - first.asked
    return f"{asked / seconds:.3g} questions/s" if asked else ""


def _decimal(value: Fraction | None) -> str:
    return "?" if value is None else f"{float(value):.6g}"
