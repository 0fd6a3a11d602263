#!/usr/bin/env python3
"""Plain copies from page-locked memory to each of two GPUs, alone and at the same time: what two fills beside each other can reach.
Prints bytes a second, by GPU, as one JSON line a round."""

import json
import threading
import time

import torch

SIZE_BYTES = 4 << 30
COPIES = 6
ROUNDS = 3


def copy(gpu, host, device, rates):
    torch.cuda.set_device(gpu)
    stream = torch.cuda.Stream(gpu)
    with torch.cuda.stream(stream):
        device.copy_(host, non_blocking=True)
        stream.synchronize()
        started = time.perf_counter()
        for _ in range(COPIES):
            device.copy_(host, non_blocking=True)
        stream.synchronize()
    rates[gpu] = COPIES * SIZE_BYTES / (time.perf_counter() - started)


def main():
    hosts = [torch.empty(SIZE_BYTES, dtype=torch.uint8).pin_memory() for _ in range(2)]
    devices = [torch.empty(SIZE_BYTES, dtype=torch.uint8, device=f"cuda:{gpu}") for gpu in range(2)]
    for _ in range(ROUNDS):
        alone, both = {}, {}
        for gpu in range(2):
            copy(gpu, hosts[gpu], devices[gpu], alone)
        threads = [threading.Thread(target=copy, args=(gpu, hosts[gpu], devices[gpu], both)) for gpu in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps({"alone": alone, "both": both}), flush=True)


if __name__ == "__main__":
    main()
