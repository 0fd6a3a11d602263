#!/usr/bin/env bash
# Copies installed programs with their libraries and loader into a folder from which they run on other machines.
#   bench/gpu/relocate.sh FOLDER PROGRAM...
# FOLDER/NAME starts each of them. A script that Python runs is none of them: see relocate-borg.sh.
set -euo pipefail

folder=$1
shift
mkdir -p "$folder/lib"
for program in "$@"; do
    program=$(readlink -f "$(command -v "$program")")
    name=$(basename "$program")
    loader=$(ldd "$program" | sed -n 's|^[[:space:]]*\(/[^ ]*ld-linux[^ ]*\).*|\1|p')
    if [ -z "$loader" ]; then
        echo "relocate: $program names no dynamic loader" >&2
        exit 1
    fi
    cp "$program" "$folder/$name.bin"
    cp -L "$loader" "$folder/lib/loader.so"
    ldd "$program" | sed -n 's|.*=> \(/[^ ]*\).*|\1|p' | xargs -I{} cp -L {} "$folder/lib/"
    cat >"$folder/$name" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
unset LD_PRELOAD
exec "\$here/lib/loader.so" --library-path "\$here/lib" --argv0 $name "\$here/$name.bin" "\$@"
WRAPPER
    chmod +x "$folder/$name"
done
