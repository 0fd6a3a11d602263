#!/usr/bin/env bash
# As relocate.sh, for borg: with the Python that runs it, and what of Python it uses.
#   bench/gpu/relocate-borg.sh FOLDER
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1
python=$(readlink -f "$(sed -n '1s|^#! *||p' "$(command -v borg)")")
read -r version standard packages < <("$python" -I - <<'PYTHON'
import os
import sys
import sysconfig

import borg

print("python%d.%d" % sys.version_info[:2], sysconfig.get_path("stdlib"), os.path.dirname(os.path.dirname(borg.__file__)))
PYTHON
)
"$here/relocate.sh" "$folder" "$python"
home=$folder/borg.python
mkdir -p "$home/lib" "$home/packages"
cp -aL "$standard" "$home/lib/$version"
(cd "$home/lib/$version" && rm -rf test idlelib lib2to3 ensurepip pydoc_data turtledemo tkinter config-* sitecustomize.py)
for package in borg msgpack packaging pkg_resources; do
    cp -aL "$packages/$package" "$home/packages/"
done
# What it is found by, with its version.
cp -aL "$packages"/borgbackup*-info "$home/packages/"
find "$home" -name __pycache__ -prune -exec rm -rf {} +
find "$home" -name '*.so' -print0 | xargs -0 ldd | sed -n 's|.*=> \(/[^ ]*\).*|\1|p' | sort -u | xargs -I{} cp -L {} "$folder/lib/"
mv "$folder/$(basename "$python")" "$home/python"
sed -i -e 's|^here=.*|here=$(dirname "$(dirname "$(readlink -f "$0")")")|' \
    -e 's|^exec |PYTHONHOME=$here/borg.python PYTHONPATH=$here/borg.python/packages exec |' "$home/python"
cp "$(readlink -f "$(command -v borg)")" "$home/borg"
cat >"$folder/borg" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/borg.python/python" "$here/borg.python/borg" "$@"
WRAPPER
chmod +x "$folder/borg"
