"""Measured values, written as they come; the final file exists only if every required value was measured."""

import json
import os
from pathlib import Path

from .failure import BenchFailure

# Of cold-vs-thaw.
REQUIRED = (
    "device",
    "driver",
    "vramBytes",
    "coldStartSeconds",
    "plainSaveSeconds",
    "plainThawSeconds",
    "saveSeconds",
    "thawSeconds",
    "answersEqual",
    "fillBytesPerSecond",
    "pinnedCopyBytesPerSecond",
)


class Result:
    def __init__(self, folder, name, required=REQUIRED):
        self.required = required
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.final = self.folder / f"{name}.json"
        self.partial = self.folder / f"{name}.partial.json"
        self.final.unlink(missing_ok=True)
        self.values = {}

    def record(self, **values):
        for key, value in values.items():
            self.values[key] = round(value, 4) if isinstance(value, float) else value
        self.write(self.partial, self.values)

    def missing(self):
        return [key for key in self.required if self.values.get(key) is None]

    def finish(self):
        if self.missing():
            raise BenchFailure(f"not measured: {', '.join(self.missing())}; what was is in {self.partial}")
        ordered = {key: self.values[key] for key in self.required} | self.values
        self.write(self.final, ordered)
        self.partial.unlink(missing_ok=True)

    @staticmethod
    def write(path, values):
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(values, indent=2) + "\n")
        os.replace(temporary, path)
