"""Why a server does not answer that the service lists as RUNNING. Of a machine that lost its power the service hears nothing, and
lists what was there as it last heard of it until the node's grace is over."""

import time

from benchlib.failure import BenchFailure

from .ledger import moment

# What a daemon said just before the end may be written down after it.
LATE_SECONDS = 1
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.3


class Silent(BenchFailure):
    """A server did not answer; the text says why."""


def explain(api, account, machine, workload, again, silence):
    """The text of why, and whether it is wrong: a daemon has it RUNNING still, by a word newer than the silence, and it is as silent.
    `workload`: as it was listed before it was asked; `again`: asks it once more; `silence`: what came of it, a moment ago."""
    began, seen = time.time(), moment(workload["lastSeenAt"])
    what = f"pid {workload['pid']} on {machine.name} was last seen RUNNING {began - seen:.1f} s before, then: {silence}"
    if ended := went_off(account, machine, seen, began):
        return f"{what}; {ended}", False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        now = api.get(f"/workloads/{workload['id']}")
        if now["state"] != "RUNNING":
            return f"{what}; it was told to be {now['state']} {time.time() - began:.1f} s later", False
        if moment(now["lastSeenAt"]) > began + LATE_SECONDS:
            return still_there(account, machine, again, what, seen, began)
        time.sleep(POLL_SECONDS)
    return f"{what}; nothing was heard of it for {PATIENCE_SECONDS} s", False


def still_there(account, machine, again, what, seen, began):
    try:
        again()
        return f"{what}; it answers {time.time() - began:.1f} s later", False
    except OSError as silence:
        if ended := went_off(account, machine, seen, began):
            return f"{what}; {ended}", False
        return f"{what}; {time.time() - began:.1f} s later its daemon still has it RUNNING, but: {silence}", True


def went_off(account, machine, seen, began):
    off = account.last_off(machine)
    return f"its machine had lost its power {began - off:.1f} s before" if off >= seen - LATE_SECONDS else None
