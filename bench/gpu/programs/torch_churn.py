#!/usr/bin/env python3
"""An allocation-heavy load that never rests: a thread allocates, fills, checks and frees device memory all the time, also
while the process is being frozen. With PYTORCH_NO_CUDA_MEMORY_CACHING=1 each of it reaches the driver."""

import random
import threading

from protocol import parser, serve

SIZES = (256 << 10, 2 << 20, 5 << 20, 16 << 20, 40 << 20)
HELD = 24


def make(options):
    from torch_base import TorchProgram, torch

    class Churn(TorchProgram):
        def prepare(self):
            self.rounds = 0
            self.failure = None
            self.thread = threading.Thread(target=self.churn, daemon=True, name="churn")
            self.thread.start()

        def churn(self):
            draw = random.Random(self.seed)
            held = []
            try:
                stream = torch.cuda.Stream()
                with torch.cuda.stream(stream):
                    while True:
                        value, size = self.rounds % 251, draw.choice(SIZES)
                        held.append((torch.full((size,), value, dtype=torch.uint8, device=self.device), value * size))
                        if len(held) >= HELD:
                            tensor, right = held.pop(draw.randrange(len(held)))
                            found = tensor.sum(dtype=torch.int64).item()
                            if found != right:
                                raise RuntimeError(f"{tensor.numel()} bytes sum to {found}, not {right}")
                        self.rounds += 1
            except BaseException as failure:  # noqa: BLE001  told to whoever asks next
                self.failure = failure

        def living(self):
            if self.failure is not None:
                raise RuntimeError(f"the allocating thread failed after {self.rounds} rounds: {self.failure}")

        def answer(self, n):
            self.living()
            return super().answer(n)

        def work(self, round):
            """The thread goes on: it gets further while this waits."""
            self.living()
            before, deadline = self.rounds, threading.Event()
            for _ in range(200):
                if self.rounds >= before + HELD:
                    break
                deadline.wait(0.05)
            else:
                raise RuntimeError(f"the allocating thread stands still at round {before}")
            return super().work(round)

        def facts(self):
            return super().facts() | {"rounds": self.rounds}

    return Churn(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
