"""Rounds, as many as a budget of time has room for."""

import argparse

from benchlib.budget import Budget

UNLIMITED_SECONDS = float("inf")


def add_flags(parser, rounds):
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument(
        "--budget-seconds", type=seconds, default=UNLIMITED_SECONDS, help="a further round that would not end by then is not begun (default: no limit)"
    )


def seconds(text):
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("more than 0")
    return value


def within(count, budget: Budget, after, note):
    """
    Numbers of rounds. The first is always there, without one there is no result; a further one takes as long as the longest.

    :param after: seconds of what follows the rounds, asked before each
    :param note: is told why rounds are left out
    """
    longest = 0.0
    for number in range(count):
        if number > 0:
            reason = budget.refusal(longest + after())
            if reason is not None:
                note(f"{count - number} of {count} rounds are left out: {reason}")
                return
        began = budget.clock()
        yield number
        longest = max(longest, budget.clock() - began)
