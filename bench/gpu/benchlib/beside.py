"""Two of a kind at the same time: for how long both were, and how each did against being alone."""

import statistics

ENOUGH_OF_ALONE = 0.9


def overlap(one, other):
    """The part of the shorter of two intervals during which both were."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, shared) / min(one[1] - one[0], other[1] - other[0])


def start_together(leads):
    """(which side is asked first, how many seconds later the other): so that both arrive at the same time if each takes as long
    to get there as it did before. `leads`: of each side the seconds that it took, of which the median counts."""
    medians = [statistics.median(each) for each in leads]
    return medians.index(max(medians)), max(medians) - min(medians)


def summary(together):
    """Of all rounds, whatever came out. One where the two were never at the same time is no evidence: it does not count as
    having had enough."""
    sides = []
    for side in range(len(together[0]["ofAlone"])):
        shares = [one["ofAlone"][side] for one in together]
        sides.append({"leastOfAlone": min(shares), "medianOfAlone": statistics.median(shares), "roundsWithEnough": sum(map(enough, together, shares))})
    return {
        "rounds": len(together),
        "roundsWithoutOverlap": sum(one["fillsOverlap"] == 0 for one in together),
        "leastOverlap": min(one["fillsOverlap"] for one in together),
        "medianOverlap": statistics.median(one["fillsOverlap"] for one in together),
        "enoughOfAlone": ENOUGH_OF_ALONE,
        "roundsWithEnoughOnBoth": sum(enough(one, min(one["ofAlone"])) for one in together),
        "sides": sides,
    }


def enough(one, share):
    return one["fillsOverlap"] > 0 and share >= ENOUGH_OF_ALONE
