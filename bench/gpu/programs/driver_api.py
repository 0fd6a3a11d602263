#!/usr/bin/env python3
"""The driver's own interface by ctypes: no framework, no kernel. Runs on the simulated driver as well, so that the runner of
the rows can be tried without a GPU."""

import ctypes as c
import random

from protocol import Program, parser, serve

PIECE_BYTES = 16 << 20


def make(options):
    class Driver(Program):
        def load(self):
            self.cuda = c.CDLL("libcuda.so.1")
            context = c.c_void_p()
            self.call("cuInit", 0)
            self.call("cuDevicePrimaryCtxRetain", c.byref(context), 0)
            self.call("cuCtxSetCurrent", context)
            draw = random.Random(self.seed)
            self.pieces = []
            for _ in range(max(1, (self.options.mib << 20) // PIECE_BYTES)):
                address = self.allocate(PIECE_BYTES)
                # One random MiB, then every MiB of it turned by another amount: no two are alike.
                content = draw.randbytes(1 << 20)
                self.write(address, b"".join(content[turn:] + content[:turn] for turn in range(PIECE_BYTES >> 20)))
                self.pieces.append(address)

        def call(self, name, *arguments):
            result = getattr(self.cuda, name)(*arguments)
            if result != 0:
                raise RuntimeError(f"{name}: CUDA error {result}")

        def allocate(self, size):
            address = c.c_uint64()
            self.call("cuMemAlloc_v2", c.byref(address), c.c_size_t(size))
            return address.value

        def write(self, address, content):
            self.call("cuMemcpyHtoD_v2", c.c_uint64(address), content, c.c_size_t(len(content)))

        def read(self, address, size):
            buffer = c.create_string_buffer(size)
            self.call("cuMemcpyDtoH_v2", buffer, c.c_uint64(address), c.c_size_t(size))
            return buffer.raw

        def answer(self, n):
            return self.read(self.pieces[n % len(self.pieces)] + n * 4096, 64 << 10)

        def work(self, round):
            """Fresh memory, a copy on the device into it, and back."""
            fresh = self.allocate(PIECE_BYTES)
            try:
                source = self.pieces[round % len(self.pieces)]
                self.call("cuMemcpyDtoD_v2", c.c_uint64(fresh), c.c_uint64(source), c.c_size_t(PIECE_BYTES))
                return self.read(fresh, 1 << 20)
            finally:
                self.call("cuMemFree_v2", c.c_uint64(fresh))

        def state(self):
            return b"".join(self.read(address, PIECE_BYTES) for address in self.pieces)

        def facts(self):
            return {"stateBytes": len(self.pieces) * PIECE_BYTES}

    return Driver(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
