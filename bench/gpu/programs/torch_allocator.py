#!/usr/bin/env python3
"""An allocator with a past: tensors of all sizes from two streams, holes between them. PYTORCH_CUDA_ALLOC_CONF chooses
the allocator: the default one, expandable segments, or the driver's stream-ordered one."""

import random

from protocol import parser, serve

SIZES = (512, 3 << 10, 100 << 10, 1 << 20, 3 << 20, 11 << 20, 24 << 20)


def make(options):
    from torch_base import TorchProgram, sums, torch

    class Allocator(TorchProgram):
        def prepare(self):
            self.side = torch.cuda.Stream() if self.cuda else None
            draw = random.Random(self.seed)
            self.tensors = []
            total = 0
            while total < self.options.mib << 20:
                size = draw.choice(SIZES)
                total += size
                self.tensors.append(self.make_tensor(size, draw.random() < 0.5))
            for _ in range(len(self.tensors) // 3):  # holes
                self.tensors.pop(draw.randrange(len(self.tensors)))

        def make_tensor(self, size, on_side_stream):
            if self.side is None or not on_side_stream:
                return torch.randint(0, 256, (size,), dtype=torch.uint8, device=self.device)
            with torch.cuda.stream(self.side):
                tensor = torch.randint(0, 256, (size,), dtype=torch.uint8, device=self.device)
            torch.cuda.current_stream().wait_stream(self.side)
            return tensor

        @torch.no_grad()
        def answer(self, n):
            some = random.Random(n).sample(range(len(self.tensors)), min(8, len(self.tensors)))
            return super().answer(n) + sums([self.tensors[i] for i in some])

        @torch.no_grad()
        def work(self, round):
            """Fills the holes with known content, checks it, and leaves them again."""
            draw = random.Random(round)
            made = []
            for i in range(200):
                value = (round + i) % 251
                size = draw.choice(SIZES)
                made.append((torch.full((size,), value, dtype=torch.uint8, device=self.device), value * size))
                if draw.random() < 0.4:
                    self.check(*made.pop(draw.randrange(len(made))))
            for tensor, right in made:
                self.check(tensor, right)
            made.clear()
            if self.cuda:
                torch.cuda.empty_cache()
            return super().work(round)

        @staticmethod
        def check(tensor, right):
            found = tensor.sum(dtype=torch.int64).item()
            if found != right:
                raise RuntimeError(f"a new tensor of {tensor.numel()} bytes sums to {found}, not {right}")

        def state_tensors(self):
            return [*super().state_tensors(), *self.tensors]

    return Allocator(options)


if __name__ == "__main__":
    options = parser().parse_args()
    options.mib //= 2  # half for the network, half for the tensors
    serve(make, options)
