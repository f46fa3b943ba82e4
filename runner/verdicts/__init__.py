"""From a solver's answer to words: names, attacks, verdicts, and whether they were expected."""
