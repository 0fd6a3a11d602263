#!/usr/bin/env python3
"""PyTorch, eager."""

from protocol import parser, serve


def make(options):
    from torch_base import TorchProgram

    return TorchProgram(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
