#!/usr/bin/env bash
# Packs what benchmarks need on a machine that has Python (for those of a GPU with PyTorch), but no Java, no CRIU and no
# network, and is reached by copying slices of at most 45 MB.
#
#   bench/gpu/pack.sh [--for gpu|store|gpu,store] [FOLDER]
#
# gpu (what is packed where nothing is said) is what bench/gpu needs; store is what bench/store and bench/s3 need, Debian's
# restic, borg, rclone and fio of this machine among it. FOLDER is .carry in the repository where it is not said; git
# ignores it through .git/info/exclude. Run it after `make build`. It makes FOLDER/0, FOLDER/1, …: one slice in each, and
# in each the list of all slices with their digests. There, bench/gpu/unpack.sh FOLDER/N takes them one after the other, in
# any order.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
parts=gpu
if [ "${1:-}" = --for ]; then
    parts=${2:?}
    shift 2
fi
case $parts in
    gpu | store | gpu,store) ;;
    *) echo "pack: --for knows gpu, store and gpu,store, not $parts" >&2; exit 2 ;;
esac
folder=${1:-$root/.carry}
slice_bytes=$((45 * 1000 * 1000))
# Spring reaches far into the platform, so all of Java SE; the rest is what service and daemon use beyond it.
modules=java.se,jdk.unsupported,jdk.management,jdk.net,jdk.zipfs,jdk.httpserver,jdk.jfr,jdk.crypto.ec
architecture=linux-amd64

fail() {
    echo "pack: $*" >&2
    exit 1
}

packs() {
    case ,$parts, in *,"$1",*) ;; *) return 1 ;; esac
}

[ -f "$root/build/env.sh" ] || fail "no build/env.sh: run make build first"
. "$root/build/env.sh"
[ -n "$GPUSNAP_CRIU" ] || fail "no CRIU to pack: $GPUSNAP_CRIU_REASON"
built=(node-daemon/target/gpusnap-node.jar node-daemon/target/lib)
if packs gpu; then
    # data-path and two-gpus freeze cuda-server: without its kernels for GPUs it would run on the simulated driver only.
    built+=(snapshot-service/target/snapshot-service.jar gpu-native/target/native/lib/libgpusnap.so
        gpu-native/target/native/bin/preload-overhead gpu-native/target/native/samples/cuda-server/cuda-server
        gpu-native/target/native/samples/cuda-server/cuda-server-kernels.fatbin)
fi
if packs store; then
    built+=(bench/store/target/gpusnap-bench-store.jar bench/store/target/lib samples/s3-server/target/lib)
    for program in restic borg rclone fio; do
        command -v "$program" >/dev/null || fail "no $program to pack: it comes with Debian's package of that name (borgbackup for borg)"
    done
fi
for one in "${built[@]}"; do
    [ -e "$root/$one" ] || fail "$one is not there: run make build first (kernels for GPUs are built where nvcc is found)"
done

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
bundle=$stage/gpusnap-bench
mkdir -p "$bundle/jars"

echo "pack: Java runtime"
"$JAVA_HOME/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --compress=zip-0 \
    --output "$bundle/java"

echo "pack: CRIU"
criu_home=$(dirname "$(readlink -f "$GPUSNAP_CRIU")")
if [ -d "$criu_home/root" ]; then
    cp -a "$criu_home" "$bundle/criu"
else
    "$root/bench/gpu/relocate.sh" "$bundle/criu" "$GPUSNAP_CRIU"
fi

echo "pack: jars"
cp "$root/node-daemon/target/gpusnap-node.jar" "$bundle/jars/"
cp -a "$root/node-daemon/target/lib" "$bundle/jars/lib"
if packs gpu; then
    cp "$root/snapshot-service/target/snapshot-service.jar" "$bundle/jars/"
fi
if packs store; then
    cp "$root/bench/store/target/gpusnap-bench-store.jar" "$bundle/jars/"
    cp -a "$root/bench/store/target/lib/." "$bundle/jars/lib/"
    # Its classpath is its own: other versions of the same libraries must not meet.
    cp -a "$root/samples/s3-server/target/lib" "$bundle/jars/s3-server"
fi
# Databases for other processors stay here, and what is compressed inside is stored, so that xz sees all of it.
find "$bundle/jars" -name '*.jar' -print0 | while IFS= read -r -d '' jar; do
    python3 "$root/bench/gpu/slim-jar.py" "$jar" "$architecture"
done

if packs gpu; then
    mkdir "$bundle/native"
    echo "pack: native libraries and tests"
    (cd "$root/gpu-native/target/native" && find . -type f ! -name '*.o' ! -name '*.a' ! -path '*/CMakeFiles/*' ! -path '*/Testing/*' \
        ! -path './simulated/tests/*' \
        ! -name '*.ninja' ! -name '.ninja*' ! -name 'CMakeCache.txt' ! -name 'compile_commands.json' -print0) |
        tar -C "$root/gpu-native/target/native" --null -T - -cf - | tar -C "$bundle/native" -xf -
    (cd "$root/gpu-native/target/native" && find . -type l -print0) |
        tar -C "$root/gpu-native/target/native" --null -T - -cf - | tar -C "$bundle/native" -xf -
    find "$bundle/native" -type f \( -perm -u+x -o -name '*.so*' \) -exec strip --strip-debug {} + 2>/dev/null || true
fi
if packs store; then
    echo "pack: restic, borg, rclone, fio"
    "$root/bench/gpu/relocate.sh" "$bundle/peers" restic rclone fio
    "$root/bench/gpu/relocate-borg.sh" "$bundle/peers"
fi
"$root/bench/revision" >"$bundle/REVISION"

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
