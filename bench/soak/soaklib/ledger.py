"""What the soak itself did to the cluster, and when: by that the failures of a load are told apart."""

import collections
import datetime
import threading
import time
from dataclasses import dataclass


@dataclass
class Outage:
    """A daemon that was killed; over when its node has spoken with another instance."""

    machine: str
    since: float
    instance: str | None = None
    until: float = float("inf")


@dataclass(frozen=True)
class Act:
    """A server that the soak started or ended by itself, beside what it asked the service for."""

    machine: str
    model: str
    since: float
    until: float


class Ledger:
    """Moments are seconds of this machine's clock, which is also the service's. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.outages = collections.defaultdict(list)
        self.acts = []

    def killing(self, machine):
        """To be told before the kill; the outage is open from now on."""
        with self.lock:
            self.outages[machine].append(Outage(machine, time.time()))
            return self.outages[machine][-1]

    def killed(self, outage, instance):
        """After the kill, when no other instance can come any more by itself."""
        with self.lock:
            outage.instance = instance

    def seen(self, machine, instance):
        """This instance of the machine's daemon has spoken."""
        with self.lock:
            for outage in self.outages[machine]:
                if outage.until == float("inf") and outage.instance not in (None, instance):
                    outage.until = time.time()

    def did(self, machine, model, since):
        with self.lock:
            self.acts.append(Act(machine, model, since, time.time()))


def moment(text):
    return datetime.datetime.fromisoformat(text).timestamp()
