#!/usr/bin/env python3
"""Three CUDA processes of one workload on one GPU, as servers with workers have them: each with weights of its own; every answer
needs all of them."""

import os
import sys

from protocol import parser, serve
from workers import Worker, follow

WORKERS = 2


def seeded(options, number):
    """The program of one process. Workers draw other weights than the first one."""
    from torch_base import TorchProgram

    class Process(TorchProgram):
        def __init__(self, own, token):
            super().__init__(own)
            self.token, self.seed = token, int(token, 16) % (1 << 30) + number

    return Process(options, options.token)


def make(options):
    from torch_base import TorchProgram

    class Processes(TorchProgram):
        def load(self):
            common = ["--port", 0, "--mib", options.mib, "--device", options.device, "--token", self.token]
            self.workers = [Worker([__file__, *common, "--number", n + 1]) for n in range(WORKERS)]
            super().load()
            for worker in self.workers:
                worker.ask("ready")

        def together(self, verb, number, own):
            for worker in self.workers:
                worker.begin(verb, number)
            return own + b"".join(worker.end() for worker in self.workers)

        def answer(self, n):
            return self.together("answer", n, super().answer(n))

        def work(self, round):
            return self.together("work", round, super().work(round))

        def state(self):
            return self.together("state", 0, super().state())

        def facts(self):
            return super().facts() | {"processes": [os.getpid(), *(worker.process.pid for worker in self.workers)]}

    return Processes(options)


if __name__ == "__main__":
    p = parser()
    p.add_argument("--token", help="of the workload, for a worker")
    p.add_argument("--number", type=int, default=0)
    p.add_argument("--worker", type=int, help="descriptor")
    options = p.parse_args()
    if options.worker is None:
        serve(make, options)
    else:
        program = seeded(options, options.number)
        program.load()
        follow(options.worker, {"ready": lambda _: b"", "answer": program.answer, "work": program.work, "state": lambda _: program.state()})
        sys.exit()
