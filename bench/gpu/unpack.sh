#!/usr/bin/env bash
# Takes one slice of bench/gpu/pack.sh; when all are there, checks them and unpacks them.
#   bench/gpu/unpack.sh SLICE_FOLDER...
# Into GPUSNAP_BENCH_HOME (default: $HOME/gpusnap-bench), which lies outside the repository so that a new copy of the
# repository leaves it alone. Ends 0 when everything is in place, 3 while slices are missing.
# Then: . $HOME/gpusnap-bench/env.sh && bench/gpu/all, or one of its scripts; of a packing for store bench/store/run and
# bench/s3/run.
set -euo pipefail

home=${GPUSNAP_BENCH_HOME:-$HOME/gpusnap-bench}
[ $# -gt 0 ] || { echo "usage: $0 SLICE_FOLDER..." >&2; exit 2; }
mkdir -p "$home/slices"
for folder in "$@"; do
    if [ -f "$home/slices/slices.sha256" ] && ! cmp -s "$folder/slices.sha256" "$home/slices/slices.sha256"; then
        echo "unpack: $folder is of another packing: starting over"
        rm -f "$home"/slices/*
    fi
    cp "$folder"/slice-* "$folder/slices.sha256" "$home/slices/"
done

cd "$home/slices"
missing=$(sed 's/.*  //' slices.sha256 | while read -r slice; do [ -f "$slice" ] || echo "$slice"; done)
if [ -n "$missing" ]; then
    echo "unpack: still missing:" $missing
    exit 3
fi
sha256sum --check --quiet slices.sha256
find "$home" -mindepth 1 -maxdepth 1 ! -name slices -exec rm -rf {} +
cat $(sed 's/.*  //' slices.sha256) | tar -C "$home" --strip-components=1 -xJf -
{
    echo "export GPUSNAP_JAVA=$home/java/bin/java"
    echo "export GPUSNAP_CRIU=$home/criu/criu"
    echo "export GPUSNAP_DAEMON_JAR=$home/jars/gpusnap-node.jar"
    echo "export GPUSNAP_REVISION=$(cat "$home/REVISION")"
} >"$home/env.sh"
needed=()
if [ -e "$home/native" ]; then
    needed+=(jars/snapshot-service.jar native/lib/libgpusnap-preload.so native/bin/preload-overhead
        native/samples/cuda-server/cuda-server native/samples/cuda-server/cuda-server-kernels.fatbin)
    {
        echo "export GPUSNAP_NATIVE_DIR=$home/native/lib"
        echo "export GPUSNAP_SERVICE_JAR=$home/jars/snapshot-service.jar"
    } >>"$home/env.sh"
fi
if [ -e "$home/peers" ]; then
    needed+=(jars/gpusnap-bench-store.jar jars/s3-server peers/restic peers/borg peers/rclone peers/fio)
    {
        echo "export GPUSNAP_STORE_JAR=$home/jars/gpusnap-bench-store.jar"
        echo "export GPUSNAP_S3_SERVER_LIB=$home/jars/s3-server"
        echo "export PATH=$home/peers:\$PATH"
    } >>"$home/env.sh"
    # So that no start of it is slower than that of an installed one.
    "$home/peers/borg.python/python" -m compileall -q "$home/peers/borg.python"
fi
for one in "${needed[@]}"; do
    [ -e "$home/$one" ] || { echo "unpack: $one is not in the slices: they are of another revision" >&2; exit 1; }
done
# The classes of the JDK, mapped instead of read: as in every runtime that is installed.
"$home/java/bin/java" -Xshare:dump >/dev/null
"$home/java/bin/java" -version 2>&1 | head -n 1
"$home/criu/criu" --version | head -n 1
echo "unpack: complete in $home, revision $(cat "$home/REVISION")"
