#!/usr/bin/env python3
"""CUDA graphs: answers are replays of a graph that was captured before the freeze; work captures another one."""

from protocol import parser, serve


def make(options):
    from torch_base import TorchProgram, raw, torch

    class Graphs(TorchProgram):
        def prepare(self):
            self.static_input = self.input(0)
            self.graph, self.static_output = self.capture(self.static_input)

        @torch.no_grad()
        def capture(self, static_input):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.network(static_input)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                static_output = self.network(static_input)
            return graph, static_output

        def replay(self, graph, static_input, static_output, values):
            static_input.copy_(values)
            graph.replay()
            return raw(static_output)

        def answer(self, n):
            return self.replay(self.graph, self.static_input, self.static_output, self.input(n))

        def work(self, round):
            values = self.input(round, batch=round + 1, length=32 + 16 * round)
            static_input = values.clone()
            graph, static_output = self.capture(static_input)
            return self.replay(graph, static_input, static_output, values)

        def state_tensors(self):
            return [*super().state_tensors(), self.static_input]

    return Graphs(options)


if __name__ == "__main__":
    serve(make, parser().parse_args())
