"""Time on a GPU is dear: what would not end in time is not begun."""

import time


class Budget:
    def __init__(self, seconds, clock=time.monotonic):
        self.clock = clock
        self.end = clock() + seconds

    def remaining(self):
        return self.end - self.clock()

    def refusal(self, seconds):
        """Why something of this length is not begun; None where there is time for it."""
        left = self.remaining()
        if seconds <= left:
            return None
        return f"the budget has {max(0, left):.0f} s left, this takes about {seconds:.0f} s"
