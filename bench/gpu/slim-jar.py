#!/usr/bin/env python3
"""slim-jar.py JAR ARCHITECTURE: rewrites a jar in place, everything in it uncompressed, jars inside it too; of the database
programs that it carries only those for ARCHITECTURE stay. What comes out runs the same; it packs smaller."""

import io
import os
import sys
import zipfile


def stored(content, keep):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            if "embedded-postgres-binaries-" in entry.filename and keep not in entry.filename:
                continue
            body = old.read(entry)
            if entry.filename.endswith(".jar"):
                body = stored(body, keep)
            new.writestr(zipfile.ZipInfo(entry.filename, entry.date_time), body)
    return out.getvalue()


def main(jar, keep):
    with open(jar, "rb") as file:
        content = stored(file.read(), keep)
    with open(jar + ".tmp", "wb") as file:
        file.write(content)
    os.replace(jar + ".tmp", jar)


if __name__ == "__main__":
    main(*sys.argv[1:])
