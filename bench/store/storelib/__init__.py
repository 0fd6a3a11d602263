"""What the measurements of the store and of the shared store have in common."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Failures, results and processes are as in the measurements on a GPU.
sys.path.append(str(ROOT / "bench/gpu"))
