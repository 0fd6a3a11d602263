"""Tests of the soak's own code; what it shares with the other benchmarks is in bench/gpu."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "gpu")]
