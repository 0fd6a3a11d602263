"""The same loads with and without the preload, by turns in one run."""

import json
import random
import statistics
from dataclasses import dataclass

from .failure import BenchFailure
from .processes import run
from .programs import OVERHEAD, OVERHEAD_ASYNC, Instance, Row

SIDES = ("without", "with")


@dataclass(frozen=True)
class Load:
    """Of torch_overhead.py. A pass of the measurement has so many rounds of it, a round so many calls by every process. A
    rented machine's processor changes its speed by up to 1.8 every few seconds: neighbours that last a tenth of a second see the
    same one, and many of them make a median."""

    rounds: int
    calls: int
    seconds_a_call: float  # about, on an H200
    program: Row = OVERHEAD


LOADS = {
    "allocations": Load(4, 8, 0.013),
    "async-allocations": Load(4, 8, 0.013, OVERHEAD_ASYNC),
    "decode": Load(1, 100, 0.0013),
    "decode-graph": Load(1, 50, 0.0006),
    "uncached": Load(1, 100, 0.00006),
}
# Loads whose calls are requests. After so many of them the program gives its cache back: a round must be whole.
REQUESTS = ("allocations", "async-allocations")
REQUESTS_A_RELEASE = 8
PROGRAMS = {load.program.name: load.program for load in LOADS.values()}
# Of the loads of requests; the others have a quarter. With fewer a median says nothing.
LEAST_PAIRS = 100
CALL_PAIRS = 5
# Of the single calls; of a program, until it is ready, beside others that start at the same time.
CALLS_SECONDS = 15
START_SECONDS = 4.5
READY_SECONDS = 180
RESAMPLES = 500
SEED = 20
# Of the times of one piece of work in one process: as fast as it is when the machine leaves it alone.
UNDISTURBED = 0.1


@dataclass(frozen=True)
class Plan:
    """How much is measured: processes a side of each program, pairs of the loads of requests, requests in a round of those."""

    pairs: int
    instances: int
    requests: int

    def check(self):
        if self.pairs < LEAST_PAIRS:
            raise BenchFailure(f"--overhead-pairs {self.pairs}: {LEAST_PAIRS} at least, or a median says nothing")
        if self.instances < 2:
            raise BenchFailure(f"--overhead-instances {self.instances}: 2 at least, or two processes differ and the preload is blamed")
        if self.requests < 1 or self.requests % REQUESTS_A_RELEASE != 0:
            raise BenchFailure(f"--overhead-requests {self.requests}: a multiple of {REQUESTS_A_RELEASE}, or no round is like another")

    def calls(self, load):
        return self.requests if load in REQUESTS else LOADS[load].calls

    def passes(self, pairs):
        return -(-pairs // (LOADS["allocations"].rounds * self.instances))

    def pass_seconds(self):
        one_process = sum(how.rounds * self.calls(load) * how.seconds_a_call for load, how in LOADS.items())
        return one_process * len(SIDES) * self.instances

    def seconds(self, pairs):
        """About what all of it takes with so many pairs."""
        starting = START_SECONDS * len(SIDES) * self.instances * len(PROGRAMS)
        return CALLS_SECONDS + starting + self.pass_seconds() * self.passes(pairs)

    def least_seconds(self):
        return self.seconds(LEAST_PAIRS)


def compared(without, with_it):
    """Of each side the processes, of each process its rounds, of each round the seconds of a call in each of its pieces. Rounds of
    one number are neighbours where the processes have one number. A piece of one number is the same work in every round.

    `pairRatio` is the median of the neighbours' ratios, which a drift of the machine does not touch. `interval` has 95 % of what
    it would be with processes and rounds drawn anew, `roundsInterval` with rounds drawn anew only. Where that is much the narrower
    one, the processes differ from each other whatever the side (where their memory lies, say), as their medians show too.

    `undisturbed` leaves out what others did to the machine: a processor that is slowed down, often and to 1.8 times as long on a
    rented machine, makes a time longer and never shorter. Of each piece the tenth part of all rounds that was fastest is taken."""
    undisturbed = compared_undisturbed(without, with_it)
    without, with_it = ([[statistics.fmean(round_) for round_ in process] for process in side] for side in (without, with_it))
    draw = random.Random(SEED)
    medians = {side: [statistics.median(process) for process in side_of] for side, side_of in zip(SIDES, (without, with_it))}
    totals = {side: statistics.median(sum(side_of, [])) for side, side_of in zip(SIDES, (without, with_it))}
    pairs = [pair_ratios(a, b) for a, b in zip(without, with_it)]
    return {
        "withoutSeconds": totals["without"],
        "withSeconds": totals["with"],
        "ratio": totals["with"] / totals["without"],
        "pairRatio": statistics.median(sum(pairs, [])),
        "pairs": sum(map(len, pairs)),
        "interval": middle([statistics.median(drawn_processes(without, with_it, draw)) for _ in range(RESAMPLES)]),
        "roundsInterval": middle([statistics.median(sum((drawn(each, draw) for each in pairs), [])) for _ in range(RESAMPLES)]),
        "undisturbed": undisturbed,
        "processMedians": medians,
        "rounds": {side: [[short(each) for each in process] for process in side_of] for side, side_of in zip(SIDES, (without, with_it))},
    }


def compared_undisturbed(without, with_it):
    """The ratio of the two sides' means of their processes, what 95 % of it lies in with processes and rounds drawn anew, the
    processes, and the ratio of each piece of the work: of requests the last of so many gives memory back to the driver."""
    draw = random.Random(SEED)

    def side_seconds(side):
        return statistics.fmean(map(undisturbed_seconds, side))

    def drawn_side(side):
        return side_seconds([drawn(process, draw) for process in drawn(side, draw)])

    return {
        "ratio": side_seconds(with_it) / side_seconds(without),
        "interval": middle([drawn_side(with_it) / drawn_side(without) for _ in range(RESAMPLES)]),
        "processes": {side: [short(undisturbed_seconds(process)) for process in side_of] for side, side_of in zip(SIDES, (without, with_it))},
        "pieces": [short(b / a) for a, b in zip(piece_seconds(without), piece_seconds(with_it))],
    }


def piece_seconds(side):
    """Of each piece, undisturbed, the mean of a side's processes."""
    return [statistics.fmean(quantile(piece, UNDISTURBED) for piece in pieces) for pieces in zip(*(list(zip(*process)) for process in side))]


def undisturbed_seconds(process):
    """Of a call, from the rounds of a process."""
    return statistics.fmean(quantile(piece, UNDISTURBED) for piece in zip(*process))


def quantile(values, share):
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def short(seconds):
    return float(f"{seconds:.6g}")


def pair_ratios(without, with_it):
    return [b / a for a, b in zip(without, with_it)]


def drawn(values, draw):
    return draw.choices(values, k=len(values))


def drawn_processes(without, with_it, draw):
    pairs = zip(drawn(without, draw), drawn(with_it, draw))
    return sum((drawn(pair_ratios(a, b), draw) for a, b in pairs), [])


def middle(values):
    """Where 95 % of them lie."""
    cuts = statistics.quantiles(values, n=40)
    return [cuts[0], cuts[-1]]


def in_turn(round_, instances):
    """(side, number) of every process, neighbours beside each other. Whoever goes first finds the machine cooler: it is another
    side and another number each time."""
    numbers = [(round_ + k) % instances for k in range(instances)]
    return [(side, number) for number in numbers for side in (SIDES if (round_ + number) % 2 == 0 else SIDES[::-1])]


def measure_overhead(bench, plan, record):
    """{loads: the loads of torch_overhead.py, calls: those of the driver API, one by one}. After each pass record(what there is
    so far)."""
    plan.check()
    measured = {"loads": [], "calls": []}
    for measured["calls"] in single_calls(bench):
        record(measured)
    # Without a GPU there is nothing that PyTorch could load.
    if not bench.settings.simulated:
        for measured["loads"] in torch_loads(bench, plan):
            record(measured)
    return measured


def torch_loads(bench, plan):
    """Yields what there is after each pass, once it is enough to say something."""
    environments = {"without": {}, "with": bench.preload("overhead")}
    programs = {}
    try:
        # All are there all the time; those that are not asked rest.
        for name, row in PROGRAMS.items():
            for side, number in in_turn(0, plan.instances):
                programs[name, side, number] = Instance(bench, row, f"{name}-{side}-{number + 1}", environments[side])
        for program in programs.values():
            program.wait_ready(READY_SECONDS)
        yield from passes(bench, plan, lambda process, path: programs[process].get(path)[0])
    finally:
        for program in programs.values():
            program.process.stop(politely=False)


def passes(bench, plan, ask):
    taken = {load: {side: [[] for _ in range(plan.instances)] for side in SIDES} for load in LOADS}
    wanted, least = plan.passes(plan.pairs), plan.passes(LEAST_PAIRS)
    pass_seconds = plan.pass_seconds()
    for done in range(wanted):
        # Fewer passes than say something are of no use: they end in time or are not begun.
        refusal = bench.budget.refusal(pass_seconds * max(1, least - done))
        if refusal is not None:
            bench.skip(f"overhead: passes {done + 1} to {wanted}", refusal)
            break
        begun = bench.budget.remaining()
        for load, how in LOADS.items():
            for round_ in range(how.rounds):
                for side, number in in_turn(done + round_, plan.instances):
                    answer = json.loads(ask((how.program.name, side, number), f"/measure?load={load}&calls={plan.calls(load)}"))
                    taken[load][side][number].append(answer["pieces"])
        # A rented machine may be slower than the one of which LOADS tells.
        pass_seconds = max(pass_seconds, begun - bench.budget.remaining())
        if done + 1 >= least:
            yield [{"load": load, **compared(sides["without"], sides["with"])} for load, sides in taken.items()]


def single_calls(bench):
    """The driver's calls that a server makes most, by preload-overhead of gpu-native. Each measurement is a
    process of its own. Yields what there is after each pair."""
    program = bench.settings.native_dir.parent / "bin/preload-overhead"
    if not program.is_file():
        raise BenchFailure(f"{program} is not there: build gpu-native first")
    base = {"LD_LIBRARY_PATH": str(bench.settings.driver.parent)} if bench.settings.driver else {}
    environments = {"without": {}, "with": bench.preload("preload-overhead")}
    taken = {}
    for pair in range(CALL_PAIRS):
        for side, _ in in_turn(pair, 1):
            for name, nanoseconds in parse_calls(run([program], env={**base, **environments[side]}, timeout=60)).items():
                taken.setdefault(name, {side: [] for side in SIDES})[side].append([nanoseconds / 1e9])
        yield [{"call": name, **compared([sides["without"]], [sides["with"]])} for name, sides in taken.items()]


def parse_calls(text):
    """{name: nanoseconds} of lines such as 'cuMemAlloc + cuMemFree, 64 KiB   71498.2 ns'."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) > 2 and words[-1] == "ns":
            found[" ".join(words[:-2])] = float(words[-2])
    return found
