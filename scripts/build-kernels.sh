#!/usr/bin/env bash
# Makes the PTX of the digest kernels from their CUDA source. Takes nvcc of a CUDA toolkit; nobody else needs one, because
# the result is kept in the repository. Run it after every change to the source: a test compares the two.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/gpu-native/native/mover/digest
nvcc=${NVCC:-nvcc}
# The oldest GPUs that CUDA 13 knows; the driver compiles for the newer ones.
architecture=compute_75
# What drivers from 545 on read. The compiler writes its own, newer version, but uses nothing of it.
ptx_version=8.3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$folder/tree_digest.cu" "$work/"
(cd "$work" && "$nvcc" -std=c++17 -arch=$architecture -ptx -O3 tree_digest.cu -o tree_digest.ptx)
{
    echo "// Made by scripts/build-kernels.sh; not to be edited."
    echo "// SHA-256 of tree_digest.cu: $(sha256sum <"$work/tree_digest.cu" | cut -d' ' -f1)"
    sed "s/^\.version .*/.version $ptx_version/" "$work/tree_digest.ptx"
} >"$folder/tree_digest.ptx"
grep -c '\.entry gpusnap_' "$folder/tree_digest.ptx" | sed 's/$/ kernels/'
