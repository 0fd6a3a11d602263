"""A copy of a node's store whose chunks are compressed: the same store to the service, so that one snapshot thaws from both."""

import json
import os
import subprocess
from pathlib import Path

from .failure import BenchFailure

ROOT = Path(__file__).resolve().parents[3]
# Said in the environment where it was packed (bench/gpu/unpack.sh).
STORE_JAR = Path(os.environ.get("GPUSNAP_STORE_JAR") or ROOT / "bench/store/target/gpusnap-bench-store.jar")


def compressed_beside(root):
    return root.with_name(root.name + "-compressed")


def rewrite_compressed(java, root):
    """What the store's process answers: chunks, usedBytes of the drive, seconds, cpuSeconds."""
    if not STORE_JAR.is_file():
        raise BenchFailure(f"{STORE_JAR} is not there: make build, or bench/gpu/pack.sh --for gpu,store")
    done = subprocess.run(
        [java, "--enable-native-access=ALL-UNNAMED", "-jar", STORE_JAR, f"--root={root}", "--compress"],
        input=json.dumps({"do": "rewrite"}) + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    (root / "pool.index").unlink(missing_ok=True)
    answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {"error": done.stderr}
    if "error" in answer:
        raise BenchFailure(f"the store cannot be rewritten: {answer['error']}")
    return answer
