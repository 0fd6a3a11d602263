#!/usr/bin/env python3
"""60 GB of device memory in one PyTorch process. A part of it is random, the rest repeats that part: it is all there and all
checked, and a store that knows repetitions need not be as large."""

from protocol import parser, serve

PIECE_BYTES = 1 << 30


def make(options):
    from torch_base import TorchProgram, pieces, sums, torch

    class Large(TorchProgram):
        def prepare(self):
            distinct = self.options.distinct_mib << 20
            total = max(distinct, (self.options.total_mib << 20) - sum(p.numel() * 2 for p in self.network.parameters()))
            self.tensors = []
            for at, size in enumerate(pieces(total, PIECE_BYTES)):
                tensor = torch.empty(size // 8 * 8, dtype=torch.uint8, device=self.device)
                if at * PIECE_BYTES < distinct:
                    tensor.view(torch.int64).random_()
                else:
                    tensor.copy_(self.tensors[at % max(1, distinct // PIECE_BYTES)][: tensor.numel()])
                self.tensors.append(tensor)

        @torch.no_grad()
        def answer(self, n):
            return super().answer(n) + sums([self.tensors[n % len(self.tensors)]])

        def state_tensors(self):
            return [*super().state_tensors(), *self.tensors]

    return Large(options)


if __name__ == "__main__":
    p = parser()
    p.add_argument("--total-mib", type=int, default=57220)  # 60 GB
    p.add_argument("--distinct-mib", type=int, default=16 << 10)
    serve(make, p.parse_args())
