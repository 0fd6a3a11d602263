#!/usr/bin/env bash
# Builds or tests gpu-native/native with CMake. Maven calls it; it also runs by hand.
#   scripts/build-native.sh build    configure (once) and compile what changed
#   scripts/build-native.sh test     run ctest on what was built
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source_dir=$root/gpu-native/native
build_dir=${GPUSNAP_NATIVE_BUILD_DIR:-$root/gpu-native/target/native}
cmake=${CMAKE:-cmake}
jobs=${GPUSNAP_BUILD_JOBS:-$(nproc)}

case ${1:-} in
    build)
        if [ ! -f "$build_dir/build.ninja" ] && [ ! -f "$build_dir/Makefile" ]; then
            generator=()
            if command -v ninja >/dev/null; then
                generator=(-G Ninja)
            fi
            "$cmake" -S "$source_dir" -B "$build_dir" "${generator[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo
        fi
        "$cmake" --build "$build_dir" --parallel "$jobs"
        ;;
    test)
        "$(dirname "$(command -v "$cmake")")/ctest" --test-dir "$build_dir" --output-on-failure --no-tests=error
        ;;
    *)
        echo "usage: $0 build|test" >&2
        exit 2
        ;;
esac
