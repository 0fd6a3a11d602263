#!/usr/bin/env python3
"""torch.compile: generated kernels, guards, the compiler's own caches; a new shape after the thaw compiles anew."""

from protocol import parser, serve


def make(options):
    from torch_base import TorchProgram, raw, torch

    class Compiled(TorchProgram):
        def prepare(self):
            self.compiled = torch.compile(self.network, dynamic=False)

        @torch.no_grad()
        def answer(self, n):
            return raw(self.compiled(self.input(n)))

        @torch.no_grad()
        def work(self, round):
            return raw(self.compiled(self.input(round, batch=round + 1, length=32 + 16 * round)))

    return Compiled(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
