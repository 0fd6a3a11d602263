"""One way to fail: with the reason, in one line."""


class BenchFailure(Exception):
    """Something that the benchmark needs is missing or went wrong; the text names it and, where there is one, the mend."""
