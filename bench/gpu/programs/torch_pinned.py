#!/usr/bin/env python3
"""Pinned host memory and events in use: page-locked buffers with content, copies on streams of their own, and events that
were recorded before the freeze and are asked, waited for and timed after it."""

from protocol import parser, serve

SLOTS = 4


def make(options):
    from torch_base import TorchProgram, raw, sums, torch

    class Pinned(TorchProgram):
        def prepare(self):
            elements = self.batch * self.length * self.width
            self.host = [torch.empty(elements, dtype=torch.bfloat16, pin_memory=self.cuda) for _ in range(SLOTS)]
            # Larger than any cache, so that it is memory of its own.
            self.large = torch.randint(0, 256, (64 << 20,), dtype=torch.uint8).pin_memory() if self.cuda else torch.zeros(8)
            self.streams = [torch.cuda.Stream() for _ in range(SLOTS)]
            self.begun = [torch.cuda.Event(enable_timing=True) for _ in range(SLOTS)]
            self.done = [torch.cuda.Event(enable_timing=True) for _ in range(SLOTS)]
            self.old_begun, self.old_done = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            self.old_begun.record()
            self.network(self.input(0))
            self.old_done.record()
            torch.cuda.synchronize()
            self.old_milliseconds = self.old_begun.elapsed_time(self.old_done)

        @torch.no_grad()
        def answer(self, n):
            slot = n % SLOTS
            stream = self.streams[slot]
            # Waits for an event of before the freeze, in a stream of before the freeze.
            stream.wait_event(self.old_done)
            host = self.host[slot].view(self.batch, self.length, self.width)
            host.copy_(self.input(n).cpu())
            with torch.cuda.stream(stream):
                self.begun[slot].record()
                result = self.network(host.to(self.device, non_blocking=True))
                host.copy_(result, non_blocking=True)
                self.done[slot].record()
            self.done[slot].synchronize()
            if self.begun[slot].elapsed_time(self.done[slot]) < 0 or not self.old_done.query():
                raise RuntimeError("an event has lost its time or its state")
            return raw(host)

        @torch.no_grad()
        def work(self, round):
            """New page-locked memory, from and to which the device copies."""
            fresh = torch.full((round << 22,), round, dtype=torch.int32).pin_memory()
            back = torch.empty_like(fresh).pin_memory()
            event = torch.cuda.Event()
            with torch.cuda.stream(self.streams[0]):
                back.copy_(fresh.to(self.device, non_blocking=True) * 3, non_blocking=True)
                event.record()
            event.synchronize()
            if not bool((back == 3 * round).all()):
                raise RuntimeError("page-locked memory came back wrong")
            return raw(back[:4096])

        def state(self):
            return super().state() + sums([self.large])

        def facts(self):
            return super().facts() | {
                "pinnedBytes": sum(t.numel() * t.element_size() for t in [*self.host, self.large]),
                "oldEventMilliseconds": self.old_milliseconds,
                "oldEventMillisecondsNow": self.old_begun.elapsed_time(self.old_done),
            }

    return Pinned(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
