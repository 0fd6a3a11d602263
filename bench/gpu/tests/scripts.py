"""Loads a script that has no .py at its end, as a module."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

GPU = Path(__file__).resolve().parent.parent


def load(path):
    # No compiled copy beside a script.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        name = "script_" + path.name.replace("-", "_")
        loader = importlib.machinery.SourceFileLoader(name, str(path))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        sys.modules[name] = module
        loader.exec_module(module)
        return module
    finally:
        sys.dont_write_bytecode = before
