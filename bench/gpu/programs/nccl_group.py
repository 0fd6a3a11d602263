#!/usr/bin/env python3
"""Two ranks on two GPUs that reduce, gather and scatter through NCCL: as two processes of a torch.distributed process group, or
with --one-process as two communicators of one process. With --hooks a quiesce callback ends the group, with all that it shares
and connects, and a resume callback makes it anew; without, the group lives on, which a save has to refuse."""

import ctypes
import datetime
import os
import socket
import sys
import threading

from protocol import Program, parser, serve
from workers import Worker, exactly, follow

RANKS = 2
ELEMENTS = 1 << 20
REST_SECONDS = 25
# Loopback and direct paths only: no network card, and no multicast objects, which the driver cannot checkpoint. No RAS listener: its
# port is one for all processes of the machine, and the rows start beside each other.
NCCL = {
    "NCCL_SOCKET_IFNAME": "lo",
    "NCCL_IB_DISABLE": "1",
    "NCCL_NVLS_ENABLE": "0",
    "NCCL_RAS_ENABLE": "0",
    "NCCL_DEBUG": "INFO",
    "TORCH_SYMM_MEM_DISABLE_MULTICAST": "1",
}


def raw(tensor):
    import torch

    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).cpu().numpy().tobytes()


class Rank:
    """One rank's state and what it computes with the other."""

    def __init__(self, options, number):
        import torch

        self.torch, self.number, self.device = torch, number, torch.device("cuda", number)
        with torch.cuda.device(self.device):
            draw = torch.Generator(self.device).manual_seed(int(options.token, 16) % (1 << 30) + number)
            count = (options.mib << 20) // 4
            self.state = torch.rand(count, generator=draw, device=self.device, dtype=torch.float32)

    def part(self, n, elements):
        start = n * 7919 * 4096 % (self.state.numel() - elements)
        return self.state[start : start + elements].clone()

    def sums(self):
        """Position-dependent sums of all of the state, taken on the device."""
        words = self.state.view(self.torch.int32).to(self.torch.int64)
        odd = self.torch.arange(1, 2 * words.numel(), 2, device=self.device)
        return raw((words * odd).view(-1, 1 << 16).sum(dim=1))


class Processes:
    """This process's side of a process group of two processes."""

    def __init__(self, options, number):
        self.rank = Rank(options, number)
        self.generation = 0

    def join(self):
        import torch.distributed as dist

        torch = self.rank.torch
        torch.cuda.set_device(self.rank.device)
        # A file of its own each time: it is empty, and no connection is left of the time before.
        dist.init_process_group(
            "nccl",
            init_method=f"file://{os.getcwd()}/group-{self.generation}",
            rank=self.rank.number,
            world_size=RANKS,
            device_id=self.rank.device,
            timeout=datetime.timedelta(seconds=60),
        )
        self.generation += 1

    def leave(self):
        import torch.distributed as dist

        torch = self.rank.torch
        torch.cuda.set_device(self.rank.device)  # of this thread
        torch.cuda.synchronize()
        dist.destroy_process_group()
        torch.cuda.empty_cache()

    def reduced(self, n):
        import torch.distributed as dist

        values = self.rank.part(n, ELEMENTS)
        dist.all_reduce(values)
        return raw(values)

    def exchanged(self, round):
        import torch.distributed as dist

        mine = self.rank.part(round, ELEMENTS * round)
        gathered = mine.new_empty(RANKS * mine.numel())
        dist.all_gather_into_tensor(gathered, mine)
        scattered = mine.new_empty(mine.numel())
        dist.reduce_scatter_tensor(scattered, gathered)
        return raw(gathered) + raw(scattered)


class Group(Program):
    """Rank 0, which asks rank 1."""

    failure = None  # of making the group anew

    def load(self):
        self.options.token = self.token
        ours, theirs = socket.socketpair()
        arguments = [__file__, "--port", 0, "--mib", self.options.mib, "--token", self.token, "--rest", theirs.fileno()]
        self.rest = ours
        self.awake = threading.Semaphore()
        self.worker = Worker([*arguments, *(["--hooks"] if self.options.hooks else [])], [theirs])
        self.side = Processes(self.options, 0)
        self.side.join()
        self.worker.ask("ready")
        if self.options.hooks:
            self.hook()

    def hook(self):
        import gpusnap

        @gpusnap.on_quiesce
        def before(remaining_seconds):
            if not self.awake.acquire(timeout=min(remaining_seconds, REST_SECONDS)):
                raise TimeoutError("an answer is being computed")
            try:
                self.rest.sendall(b"r")  # nobody asks any more: the other rank may end the group, too
                self.side.leave()
            except BaseException:
                self.awake.release()  # whoever refuses has no resume
                raise

        @gpusnap.on_resume
        def after(reason):
            self.failure = None
            try:
                self.side.join()
            except BaseException as failure:
                self.failure = failure
                raise
            finally:
                self.awake.release()

    def both(self, verb, number, own):
        with self.awake:
            if self.failure is not None:
                raise RuntimeError(f"the group was not made anew: {self.failure}")
            self.worker.begin(verb, number)
            return own() + self.worker.end()

    def answer(self, n):
        return self.both("reduced", n, lambda: self.side.reduced(n))

    def work(self, round):
        return self.both("exchanged", round, lambda: self.side.exchanged(round))

    def state(self):
        return self.both("sums", 0, self.side.rank.sums)

    def facts(self):
        torch = self.side.rank.torch
        return {
            "torch": torch.__version__,
            "nccl": ".".join(map(str, torch.cuda.nccl.version())),
            "generation": self.side.generation,
            "stateBytes": RANKS * self.options.mib << 20,
        }


def follow_group(options):
    """Rank 1."""
    side = Processes(options, 1)
    side.join()
    rest = socket.socket(fileno=options.rest)
    if options.hooks:
        import gpusnap

        @gpusnap.on_quiesce
        def before(remaining_seconds):
            rest.settimeout(min(remaining_seconds, REST_SECONDS))
            exactly(rest, 1)
            rest.settimeout(None)
            side.leave()

        @gpusnap.on_resume
        def after(reason):
            side.join()

    answers = {"ready": lambda _: b"", "reduced": side.reduced, "exchanged": side.exchanged, "sums": lambda _: side.rank.sums()}
    follow(options.worker, answers)


class Communicators:
    """NCCL's own calls, for two GPUs of one process."""

    FLOAT32, SUM = 7, 0

    def __init__(self):
        import torch

        self.torch = torch
        torch.cuda.nccl.version()  # loads the library
        self.nccl = ctypes.CDLL("libnccl.so.2")
        self.handles = None

    def check(self, result):
        if result != 0:
            raise RuntimeError(f"NCCL says {result}")

    def join(self):
        self.handles = (ctypes.c_void_p * RANKS)()
        self.check(self.nccl.ncclCommInitAll(self.handles, RANKS, (ctypes.c_int * RANKS)(*range(RANKS))))

    def leave(self):
        for number in range(RANKS):
            self.torch.cuda.synchronize(number)
        for handle in self.handles:
            self.check(self.nccl.ncclCommDestroy(ctypes.c_void_p(handle)))
        self.handles = None

    def all_reduce(self, tensors):
        results = [tensor.new_empty(tensor.numel()) for tensor in tensors]
        for tensor in tensors:
            self.torch.cuda.synchronize(tensor.device)
        self.check(self.nccl.ncclGroupStart())
        for handle, tensor, result in zip(self.handles, tensors, results):
            stream = self.torch.cuda.current_stream(tensor.device).cuda_stream
            self.check(
                self.nccl.ncclAllReduce(
                    ctypes.c_void_p(tensor.data_ptr()), ctypes.c_void_p(result.data_ptr()), ctypes.c_size_t(tensor.numel()),
                    self.FLOAT32, self.SUM, ctypes.c_void_p(handle), ctypes.c_void_p(stream),
                )
            )  # fmt: skip
        self.check(self.nccl.ncclGroupEnd())
        return b"".join(map(raw, results))


class OneProcess(Program):
    """Both ranks in this process."""

    def load(self):
        self.options.token = self.token
        self.ranks = [Rank(self.options, number) for number in range(RANKS)]
        self.communicators = Communicators()
        self.communicators.join()
        self.awake = threading.Semaphore()
        self.generation = 1
        if self.options.hooks:
            self.hook()

    def hook(self):
        import gpusnap

        @gpusnap.on_quiesce
        def before(remaining_seconds):
            if not self.awake.acquire(timeout=min(remaining_seconds, REST_SECONDS)):
                raise TimeoutError("an answer is being computed")
            try:
                self.communicators.leave()
            except BaseException:
                self.awake.release()
                raise

        @gpusnap.on_resume
        def after(reason):
            try:
                self.communicators.join()
                self.generation += 1
            finally:
                self.awake.release()

    def reduced(self, n, elements):
        with self.awake:
            return self.communicators.all_reduce([rank.part(n, elements) for rank in self.ranks])

    def answer(self, n):
        return self.reduced(n, ELEMENTS)

    def work(self, round):
        return self.reduced(round, ELEMENTS * (round + 1))

    def state(self):
        return b"".join(rank.sums() for rank in self.ranks)

    def facts(self):
        torch = self.ranks[0].torch
        return {"torch": torch.__version__, "nccl": ".".join(map(str, torch.cuda.nccl.version())), "generation": self.generation}


if __name__ == "__main__":
    p = parser()
    p.add_argument("--hooks", action="store_true")
    p.add_argument("--one-process", action="store_true")
    p.add_argument("--token", help="of the workload, for the second rank")
    p.add_argument("--worker", type=int, help="descriptor")
    p.add_argument("--rest", type=int, help="descriptor")
    options = p.parse_args()
    for name, value in NCCL.items():
        os.environ.setdefault(name, value)
    if options.worker is not None:
        follow_group(options)
    else:
        serve(OneProcess if options.one_process else Group, options)
