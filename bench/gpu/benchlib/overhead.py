"""The same loads with and without the preload, by turns in one run."""

import json
import statistics

from .failure import BenchFailure
from .processes import run
from .programs import OVERHEAD, Instance

LOADS = ("allocations", "decode", "decode-graph", "uncached")
# A rented machine's processor changes its speed by up to 1.8 every few seconds: pairs of 1.5 s each had ratios from 0.6 to 1.8
# (H200, 16 virtual cores). Neighbours that last a tenth of a second see the same processor, and many of them make a median.
SECONDS_EACH = 0.05
SIDES = ("without", "with")
# With fewer a median says nothing.
LEAST_PAIRS = 20
CALL_PAIRS = 5
# Of the single calls, and until both programs are ready.
START_SECONDS = 40
# A round of a load is whole: about 0.05 to 0.3 s.
PAIR_SECONDS = len(LOADS) * len(SIDES) * 0.2


def overhead_seconds(pairs):
    """About what all of it takes."""
    return START_SECONDS + PAIR_SECONDS * pairs


def ratio(without, with_it):
    """Median over median; and of the ratios of neighbours, which a drift of the machine does not touch, the median and the
    quartiles."""
    ratios = [b / a for a, b in zip(without, with_it)]
    return {
        "withoutSeconds": statistics.median(without),
        "withSeconds": statistics.median(with_it),
        "ratio": statistics.median(with_it) / statistics.median(without),
        "pairRatio": statistics.median(ratios),
        "pairQuartiles": statistics.quantiles(ratios, n=4)[::2] if len(ratios) > 1 else ratios * 2,
        "pairs": [[round(a, 12), round(b, 12)] for a, b in zip(without, with_it)],
    }


def in_turn(pair):
    """Whoever goes first finds the machine cooler: it is another one each time."""
    return SIDES if pair % 2 == 0 else SIDES[::-1]


def measure_overhead(bench, pairs, record):
    """{loads: the loads of torch_overhead.py, calls: those of the driver API, one by one}. No fewer than twenty pairs of
    a load. After each pair record(what there is so far)."""
    if pairs < LEAST_PAIRS:
        raise BenchFailure(f"--overhead-pairs {pairs}: {LEAST_PAIRS} at least, or a median says nothing")
    measured = {"loads": [], "calls": []}
    for measured["calls"] in single_calls(bench):
        record(measured)
    # Without a GPU there is nothing that PyTorch could load.
    if not bench.settings.simulated:
        for measured["loads"] in torch_loads(bench, pairs):
            record(measured)
    return measured


def torch_loads(bench, pairs):
    """Yields what there is after each pair."""
    # Both are there all the time; the one that is not asked rests.
    instances = {
        "without": Instance(bench, OVERHEAD, "overhead-without", {}),
        "with": Instance(bench, OVERHEAD, "overhead-with", bench.preload("overhead")),
    }
    try:
        for instance in instances.values():
            instance.wait_ready(180)
        taken = {load: {side: [] for side in SIDES} for load in LOADS}
        for pair in range(pairs):
            refusal = bench.budget.refusal(PAIR_SECONDS)
            if pair >= LEAST_PAIRS and refusal is not None:
                bench.skip(f"overhead: pairs {pair + 1} to {pairs}", refusal)
                break
            for load in LOADS:
                for side in in_turn(pair):
                    answer = json.loads(instances[side].get(f"/measure?load={load}&seconds={SECONDS_EACH}")[0])
                    taken[load][side].append(answer["secondsACall"])
            yield [{"load": load, **ratio(sides["without"], sides["with"])} for load, sides in taken.items()]
    finally:
        for instance in instances.values():
            instance.process.stop(politely=False)


def single_calls(bench):
    """The driver's calls that a server makes most, by preload-overhead of gpu-native. Yields what there is after each pair."""
    program = bench.settings.native_dir.parent / "bin/preload-overhead"
    if not program.is_file():
        raise BenchFailure(f"{program} is not there: build gpu-native first")
    base = {"LD_LIBRARY_PATH": str(bench.settings.driver.parent)} if bench.settings.driver else {}
    sides = {"without": {}, "with": bench.preload("preload-overhead")}
    taken = {}
    for pair in range(CALL_PAIRS):
        for side in in_turn(pair):
            for name, nanoseconds in parse_calls(run([program], env={**base, **sides[side]}, timeout=60)).items():
                taken.setdefault(name, {side: [] for side in SIDES})[side].append(nanoseconds / 1e9)
        yield [{"call": name, **ratio(sides["without"], sides["with"])} for name, sides in taken.items()]


def parse_calls(text):
    """{name: nanoseconds} of lines such as 'cuMemAlloc + cuMemFree, 64 KiB   71498.2 ns'."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) > 2 and words[-1] == "ns":
            found[" ".join(words[:-2])] = float(words[-2])
    return found
