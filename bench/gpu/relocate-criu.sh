#!/usr/bin/env bash
# Copies an installed CRIU with its libraries and loader into a folder from which it runs on other machines.
#   bench/gpu/relocate-criu.sh CRIU FOLDER
set -euo pipefail

criu=$(readlink -f "$(command -v "$1")")
folder=$2
loader=$(ldd "$criu" | sed -n 's|^[[:space:]]*\(/[^ ]*ld-linux[^ ]*\).*|\1|p')
if [ -z "$loader" ]; then
    echo "relocate-criu: $criu names no dynamic loader" >&2
    exit 1
fi
mkdir -p "$folder/lib"
cp "$criu" "$folder/criu.bin"
cp -L "$loader" "$folder/lib/loader.so"
ldd "$criu" | sed -n 's|.*=> \(/[^ ]*\).*|\1|p' | xargs -I{} cp -L {} "$folder/lib/"
cat >"$folder/criu" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
unset LD_PRELOAD
exec "$here/lib/loader.so" --library-path "$here/lib" --argv0 criu "$here/criu.bin" "$@"
WRAPPER
chmod +x "$folder/criu"
"$folder/criu" --version
