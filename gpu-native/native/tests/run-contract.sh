#!/usr/bin/env bash
# Builds the native part and runs its contract suite and the overhead benchmark on this machine's driver.
#   tests/run-contract.sh [real|simulated] [OUTDIR]
# Needs g++ and CMake only. Leaves contract.log, contract.json and overhead.log in OUTDIR (default: the build's folder).
# GPUSNAP_CRIU=/path/to/criu adds the test with a dump and restore. Exit status: that of the suite.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
native=$(dirname "$here")
driver=${1:-real}
build=${GPUSNAP_NATIVE_BUILD_DIR:-$native/../target/native}
out=${2:-$build}

case $driver in
    real) ;;
    simulated) export LD_LIBRARY_PATH=$build/lib/simulated${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} ;;
    *)
        echo "usage: $0 [real|simulated] [OUTDIR]" >&2
        exit 2
        ;;
esac

mkdir -p "$out"
if [ ! -f "$build/CMakeCache.txt" ]; then
    cmake -S "$native" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DGPUSNAP_WERROR=OFF >"$out/configure.log"
fi
cmake --build "$build" --parallel "${GPUSNAP_BUILD_JOBS:-$(nproc)}" >"$out/build.log" 2>&1 || {
    tail -30 "$out/build.log"
    exit 1
}

status=0
"$build/bin/gpusnap-contract" --json "$out/contract.json" 2>&1 | tee "$out/contract.log" || status=$?
{
    echo "without the preload:"
    "$build/bin/preload-overhead"
    echo "with the preload:"
    GPUSNAP_SOCKET_DIR=$out/sockets LD_PRELOAD=$build/lib/libgpusnap-preload.so "$build/bin/preload-overhead"
} 2>&1 | tee "$out/overhead.log" || status=$?
exit "$status"
