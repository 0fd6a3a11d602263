#!/usr/bin/env python3
"""CuPy: its memory pool, cuBLAS, a kernel of our own compiled by NVRTC, and one that is compiled after the thaw."""

from protocol import Program, parser, serve

WIDTH = 2048
BLOCK_WORDS = (4 << 20) // 8
SOURCE = """
extern "C" __global__ void mix(const unsigned* from, unsigned* to, unsigned count, unsigned round) {
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    unsigned x = from[i] + ROUND;
    x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; x ^= x >> 16;
    to[i] = x ^ round;
  }
}
"""


def make(options):
    import cupy as cp
    import numpy as np

    def kernel(round):
        return cp.RawKernel(SOURCE.replace("ROUND", f"{round}u"), "mix")

    class Arrays(Program):
        def load(self):
            count = max(2, (self.options.mib << 20) // (WIDTH * WIDTH * 4))
            draw = cp.random.RandomState(self.seed)
            self.weights = [draw.standard_normal((WIDTH, WIDTH), dtype=cp.float32) * WIDTH**-0.5 for _ in range(count)]
            self.kernel = kernel(0)
            self.stream = cp.cuda.Stream(non_blocking=True)
            self.answer(1)

        def input(self, n, rows):
            return cp.asarray(np.random.default_rng(n).standard_normal((rows, WIDTH), dtype=np.float32))

        def network(self, weights, x):
            for w in weights:
                x = cp.tanh(x @ w) + x
            return x

        def mixed(self, using, x, round):
            words = x.view(cp.uint32)
            out = cp.empty_like(words)
            using((256,), (256,), (words, out, np.uint32(words.size), np.uint32(round)))
            return out

        def answer(self, n):
            with self.stream:
                out = self.mixed(self.kernel, self.network(self.weights, self.input(n, 64)), n)
                self.stream.synchronize()
            return cp.asnumpy(out).tobytes()

        def work(self, round):
            with self.stream:
                out = self.mixed(kernel(round), self.network(self.weights[: round + 1], self.input(round, 16 + 8 * round)), round)
                self.stream.synchronize()
            result = cp.asnumpy(out).tobytes()
            cp.get_default_memory_pool().free_all_blocks()
            return result

        def state(self):
            # Each word of 4 MiB times an odd number of its own, wrapping: words that change places change the sum.
            odd = cp.arange(1, 2 * BLOCK_WORDS, 2, dtype=cp.uint64)
            blocks = (w.view(cp.uint64).reshape(-1, BLOCK_WORDS) for w in self.weights)
            return b"".join(cp.asnumpy((words * odd).sum(axis=1)).tobytes() for words in blocks)

        def facts(self):
            return {
                "cupy": cp.__version__,
                "stateBytes": sum(w.nbytes for w in self.weights),
                "poolBytes": cp.get_default_memory_pool().total_bytes(),
            }

    return Arrays(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
