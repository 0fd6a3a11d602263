#!/usr/bin/env python3
"""Loads for the preload's overhead: the same program runs with and without it, and each is asked by turns how fast it is. A
process has the loads of its allocator.

    allocations   requests of ever other lengths, each with a cache of its own; every few of them the allocator gives its
                  memory back to the driver, as servers do that share a GPU: hundreds of tensors a request, tens of calls of
                  the driver's allocation functions a second
    async-allocations
                  the same requests where PyTorch's allocator is the driver's stream-ordered one (PYTORCH_CUDA_ALLOC_CONF is
                  backend:cudaMallocAsync): every tensor is a call of the driver's and a second one when it is let go of
    uncached      nothing but a pair of cudaMalloc and cudaFree behind each tensor, a kernel between: no server does that; it
                  shows what a single pair costs more
    decode        steady decode of one token after another, eager, layers of the 8B shape
    decode-graph  the same, one CUDA graph a token
"""

import os
import random
import time

from protocol import parser, serve

WIDTH, MIDDLE, HEADS, KV_HEADS, LAYERS = 4096, 14336, 32, 8, 4
CACHE_TOKENS = 1024
REQUESTS_A_RELEASE = 8
# A round is timed in so many pieces; one of requests in as many as it has.
PIECES = 10
WARM_CALLS = {
    "allocations": 2 * REQUESTS_A_RELEASE, "async-allocations": 2 * REQUESTS_A_RELEASE, "uncached": 100, "decode": 200, "decode-graph": 200,
}  # fmt: skip


def make(options):
    from torch_base import F, TorchProgram, raw, torch

    class Decoder(torch.nn.Module):
        """One token at a time against a cache of fixed size, as compiled servers do it."""

        def __init__(self):
            super().__init__()
            head = WIDTH // HEADS
            self.q = torch.nn.Linear(WIDTH, WIDTH, bias=False)
            self.kv = torch.nn.Linear(WIDTH, 2 * KV_HEADS * head, bias=False)
            self.o = torch.nn.Linear(WIDTH, WIDTH, bias=False)
            self.gate_up = torch.nn.Linear(WIDTH, 2 * MIDDLE, bias=False)
            self.down = torch.nn.Linear(MIDDLE, WIDTH, bias=False)
            self.norm = torch.nn.RMSNorm(WIDTH)

        def forward(self, x, keys, values, at):
            tokens, head = x.shape[0], WIDTH // HEADS
            y = self.norm(x)
            q = self.q(y).view(tokens, HEADS, head).transpose(0, 1)
            k, v = self.kv(y).view(tokens, 2, KV_HEADS, head).permute(1, 2, 0, 3)
            keys.index_copy_(1, at, k)
            values.index_copy_(1, at, v)
            z = F.scaled_dot_product_attention(q[None], keys[None], values[None], enable_gqa=True)[0]
            x = x + self.o(z.transpose(0, 1).reshape(tokens, WIDTH))
            gate, up = self.gate_up(self.norm(x)).chunk(2, dim=-1)
            return x + self.down(F.silu(gate) * up)

    class Overhead(TorchProgram):
        def load(self):
            self.device, self.cuda = self.options.device, True
            # The same weights with and without the preload: the loads must be the same.
            torch.manual_seed(7)
            with torch.device(self.device):
                self.layers = torch.nn.ModuleList(Decoder() for _ in range(LAYERS)).to(torch.bfloat16).eval()
            self.decode_cache = self.cache(CACHE_TOKENS)
            self.token_in = torch.randn(1, WIDTH, device=self.device, dtype=torch.bfloat16)
            self.at = torch.tensor([17], device=self.device)
            self.stream_ordered = torch.cuda.get_allocator_backend() == "cudaMallocAsync"
            self.graph = None if self.stream_ordered else self.capture()
            for load in self.loads():
                self.measure(load, WARM_CALLS[load])

        def cache(self, tokens):
            shape = (KV_HEADS, tokens, WIDTH // HEADS)
            return [[torch.zeros(shape, device=self.device, dtype=torch.bfloat16) for _ in "kv"] for _ in range(LAYERS)]

        @torch.no_grad()
        def step(self, x, cache, at):
            for layer, (keys, values) in zip(self.layers, cache):
                x = layer(x, keys, values, at)
            return x

        def capture(self):
            for _ in range(3):
                self.step(self.token_in, self.decode_cache, self.at)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.token_out = self.step(self.token_in, self.decode_cache, self.at)
            return graph

        def loads(self):
            if self.stream_ordered:
                return {"async-allocations": self.request}
            return {
                "allocations": self.request,
                "uncached": self.pair,
                "decode": lambda i: self.step(self.token_in, self.decode_cache, self.at),
                "decode-graph": lambda i: self.graph.replay(),
            }

        def request(self, i):
            draw = random.Random(i)
            tokens = draw.randrange(64, 1024)
            cache = self.cache(tokens + draw.randrange(64, 1024))
            at = torch.arange(tokens, device=self.device)
            x = torch.randn(tokens, WIDTH, device=self.device, dtype=torch.bfloat16)
            self.step(x, cache, at)
            for k in range(8):
                self.step(self.token_in, cache, at[:1] + tokens + k)
            del cache, x
            if i % REQUESTS_A_RELEASE == REQUESTS_A_RELEASE - 1:
                torch.cuda.empty_cache()

        def pair(self, i):
            torch.zeros(random.Random(i).choice((3, 12, 40)) << 20, dtype=torch.uint8, device=self.device)
            torch.cuda.empty_cache()

        def measure(self, load, calls):
            """A round; the same calls each time, and in each of its pieces."""
            call = self.loads()[load]
            stay_on_one_core()
            torch.cuda.empty_cache()
            torch.cuda.synchronize()
            pieces = []
            for piece in even(range(calls), calls if call == self.request else min(calls, PIECES)):
                started = time.perf_counter()
                for i in piece:
                    call(i)
                torch.cuda.synchronize()
                pieces.append((time.perf_counter() - started) / len(piece))
            return {"load": load, "secondsACall": sum(pieces) / len(pieces), "pieces": pieces, "calls": calls}

        def answer(self, n):
            return raw(self.step(self.token_in * n, self.decode_cache, self.at))

        def state_tensors(self):
            return list(self.layers.parameters())

    return Overhead(options)


def stay_on_one_core():
    """The thread that measures: all processes use the same one, each in its turn."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[len(cores) // 2]})


def even(calls, pieces):
    """Pieces of one length; a few calls at the end are left out where that does not come out even."""
    size = len(calls) // pieces
    return [calls[k * size : (k + 1) * size] for k in range(pieces)]


if __name__ == "__main__":
    serve(make, parser().parse_args())
