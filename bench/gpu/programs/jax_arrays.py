#!/usr/bin/env python3
"""JAX: arrays, compiled functions, a function that is compiled for the first time after the thaw."""

import os

from protocol import Program, parser, serve

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
WIDTH = 2048
BLOCK_BYTES = 4 << 20


def make(options):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def raw(array):
        return np.asarray(jax.device_get(array)).tobytes()

    @jax.jit
    def network(weights, x):
        for w in weights:
            x = jax.nn.gelu(x @ w) + x
            x = x / (1 + jnp.abs(x).max(axis=-1, keepdims=True))
        return x

    @jax.jit
    def block_sums(array):
        words = jax.lax.bitcast_convert_type(array.reshape(-1), jnp.uint32).reshape(-1, BLOCK_BYTES // 4)
        # Each word times an odd number of its own: words that change places change the sum. It wraps around, as products and
        # sums of unsigned integers do: the same on every run.
        odd = jnp.arange(1, 2 * words.shape[1], 2, dtype=jnp.uint32)
        return (words * odd).sum(axis=1, dtype=jnp.uint32)

    class Arrays(Program):
        def load(self):
            # 16 MiB each.
            count = max(2, (self.options.mib << 20) // (WIDTH * WIDTH * 4))
            keys = jax.random.split(jax.random.PRNGKey(self.seed), count)
            self.weights = [jax.random.normal(key, (WIDTH, WIDTH), jnp.float32) * WIDTH**-0.5 for key in keys]
            self.answer(1)

        def input(self, n, rows):
            return jnp.asarray(np.random.default_rng(n).standard_normal((rows, WIDTH), dtype=np.float32))

        def answer(self, n):
            return raw(network(self.weights, self.input(n, 64)))

        def work(self, round):
            return raw(network(self.weights[: round + 1], self.input(round, 16 + 8 * round)))

        def state(self):
            return b"".join(raw(block_sums(w)) for w in self.weights)

        def facts(self):
            return {
                "jax": jax.__version__,
                "device": str(jax.devices()[0]),
                "stateBytes": sum(w.nbytes for w in self.weights),
            }

    return Arrays(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
