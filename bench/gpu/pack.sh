#!/usr/bin/env bash
# Packs what the GPU benchmarks need on a machine that has Python with PyTorch and a GPU, but no Java, no CRIU and no
# network, and is reached by copying slices of at most 45 MB.
#
#   bench/gpu/pack.sh [FOLDER]      default: .carry in the repository (git ignores it through .git/info/exclude)
#
# Run it after `make build`. It makes FOLDER/0, FOLDER/1, …: one slice in each, and in each the list of all slices with
# their digests. There, bench/gpu/unpack.sh FOLDER/N takes them one after the other, in any order.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:-$root/.carry}
slice_bytes=$((45 * 1000 * 1000))
# Spring reaches far into the platform, so all of Java SE; the rest is what service and daemon use beyond it.
modules=java.se,jdk.unsupported,jdk.management,jdk.net,jdk.zipfs,jdk.httpserver,jdk.jfr,jdk.crypto.ec
architecture=linux-amd64

fail() {
    echo "pack: $*" >&2
    exit 1
}

[ -f "$root/build/env.sh" ] || fail "no build/env.sh: run make build first"
. "$root/build/env.sh"
[ -n "$GPUSNAP_CRIU" ] || fail "no CRIU to pack: $GPUSNAP_CRIU_REASON"
for built in snapshot-service/target/snapshot-service.jar node-daemon/target/gpusnap-node.jar node-daemon/target/lib \
    gpu-native/target/native/lib/libgpusnap.so gpu-native/target/native/bin/preload-overhead \
    gpu-native/target/native/samples/cuda-server/cuda-server; do
    [ -e "$root/$built" ] || fail "$built is not there: run make build first"
done
# data-path and two-gpus freeze cuda-server: without its kernels for GPUs it would run on the simulated driver only.
[ -e "$root/gpu-native/target/native/samples/cuda-server/cuda-server-kernels.fatbin" ] ||
    fail "cuda-server's kernels for GPUs are not there: build gpu-native where nvcc is found"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
bundle=$stage/gpusnap-bench
mkdir -p "$bundle/jars" "$bundle/native"

echo "pack: Java runtime"
"$JAVA_HOME/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress=zip-0 \
    --output "$bundle/java"

echo "pack: CRIU"
criu_home=$(dirname "$(readlink -f "$GPUSNAP_CRIU")")
if [ -d "$criu_home/root" ]; then
    cp -a "$criu_home" "$bundle/criu"
else
    bash "$root/bench/gpu/relocate-criu.sh" "$GPUSNAP_CRIU" "$bundle/criu"
fi

echo "pack: jars"
cp "$root/snapshot-service/target/snapshot-service.jar" "$root/node-daemon/target/gpusnap-node.jar" "$bundle/jars/"
cp -a "$root/node-daemon/target/lib" "$bundle/jars/lib"
# Databases for other processors stay here, and what is compressed inside is stored, so that xz sees all of it.
for jar in "$bundle"/jars/*.jar "$bundle"/jars/lib/*.jar; do
    python3 "$root/bench/gpu/slim-jar.py" "$jar" "$architecture"
done

echo "pack: native libraries and tests"
(cd "$root/gpu-native/target/native" && find . -type f ! -name '*.o' ! -name '*.a' ! -path '*/CMakeFiles/*' ! -path '*/Testing/*' \
    ! -path './simulated/tests/*' \
    ! -name '*.ninja' ! -name '.ninja*' ! -name 'CMakeCache.txt' ! -name 'compile_commands.json' -print0) |
    tar -C "$root/gpu-native/target/native" --null -T - -cf - | tar -C "$bundle/native" -xf -
(cd "$root/gpu-native/target/native" && find . -type l -print0) |
    tar -C "$root/gpu-native/target/native" --null -T - -cf - | tar -C "$bundle/native" -xf -
find "$bundle/native" -type f \( -perm -u+x -o -name '*.so*' \) -exec strip --strip-debug {} + 2>/dev/null || true
git -C "$root" describe --always --dirty >"$bundle/REVISION"

echo "pack: compressing"
rm -rf "$folder"
mkdir -p "$folder"
tar -C "$stage" --sort=name --owner=0 --group=0 -cf - gpusnap-bench | xz -T0 -6 | split -d -a 2 -b "$slice_bytes" - "$folder/slice-"
(cd "$folder" && sha256sum slice-* >"$stage/slices.sha256")
number=0
for slice in "$folder"/slice-*; do
    mkdir "$folder/$number"
    mv "$slice" "$folder/$number/"
    cp "$stage/slices.sha256" "$folder/$number/"
    number=$((number + 1))
done

if exclude=$(git -C "$root" rev-parse --git-path info/exclude 2>/dev/null); then
    case $folder in
        "$root"/*)
            line=/${folder#"$root"/}/
            (cd "$root" && mkdir -p "$(dirname "$exclude")" && { grep -qxF "$line" "$exclude" 2>/dev/null || echo "$line" >>"$exclude"; })
            ;;
    esac
fi
du -sh "$folder"/[0-9]*
