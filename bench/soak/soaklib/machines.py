"""Machines of a cluster on this one: namespaces with processes, memory, network and a disk of their own."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from benchlib.failure import BenchFailure

START_SECONDS = 60
# The first process of a machine brings up its memory and disk, and then waits for whatever ends.
BOOT = """
set -e
mount -t tmpfs -o mode=700 tmpfs "$MEMORY"
mkdir -m 700 "$MEMORY/scratch"
mount --bind "$DISK" "$DISK_AT"
touch "$DISK/up"
set +e
while :; do sleep 3600 & wait; done
"""
# Files are opened inside: those of another machine's mounts could not be frozen.
START_WITH_ID = """
echo $(($ID - 1)) > /proc/sys/kernel/ns_last_pid
setsid "$0" "$@" </dev/null >>"$LOG" 2>&1 &
[ $! = "$ID" ] && exit
kill -KILL $!
wait $!
exit 1
"""


def command(*line):
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailure(f"{' '.join(line)}: {done.stderr.strip() or done.stdout.strip()}")


class Network:
    """One segment in the range that is kept for benchmarks (198.18.0.0/15), with this machine on it."""

    def __init__(self):
        self.number = random.SystemRandom().randrange(512)
        self.bridge = f"gpusnap{self.number}"
        self.hub = self.address(1)

    def address(self, host):
        return f"198.{18 + self.number // 256}.{self.number % 256}.{host}"

    def open(self):
        command("ip", "link", "add", self.bridge, "type", "bridge")
        command("ip", "address", "add", self.hub + "/24", "dev", self.bridge)
        command("ip", "link", "set", self.bridge, "up")

    def join(self, machine, init):
        here, there = f"{self.bridge}-{machine}", self.address(10 + machine)
        # The same one after a loss of power: others remember it.
        hardware = f"02:00:00:{self.number // 256:02x}:{self.number % 256:02x}:{machine:02x}"
        peer = ("peer", "name", "eth0", "address", hardware, "netns", str(init))
        command("ip", "link", "add", here, "type", "veth", *peer)
        command("ip", "link", "set", here, "master", self.bridge, "up")
        inside = ("nsenter", "--target", str(init), "--net", "ip")
        command(*inside, "link", "set", "lo", "up")
        command(*inside, "address", "add", there + "/24", "dev", "eth0")
        command(*inside, "link", "set", "eth0", "up")
        return there

    def close(self):
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True, check=False)


class Machine:
    """One machine. Its disk outlives `power_off`, as do the folders that all machines share."""

    def __init__(self, network, number, name, work, memory):
        self.network = network
        self.number = number
        self.name = name
        self.memory = memory
        self.disk = work / f"disk-{name}"
        self.disk_at = work / "own"
        self.log = work / f"{name}.log"
        self.power = None
        self.init = None
        self.address = None
        for folder in (self.disk, self.disk_at):
            folder.mkdir(parents=True, exist_ok=True)

    def power_on(self):
        (self.disk / "up").unlink(missing_ok=True)
        environment = os.environ | {"MEMORY": str(self.memory), "DISK": str(self.disk), "DISK_AT": str(self.disk_at)}
        line = ["unshare", "--pid", "--mount", "--net", "--fork", "--kill-child", "--mount-proc", "bash", "-c", BOOT]
        with self.log.open("ab") as log:
            self.power = subprocess.Popen(
                line, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not (self.disk / "up").exists():
            if self.power.poll() is not None or time.monotonic() > deadline:
                raise BenchFailure(f"machine {self.name} does not come up; see {self.log}")
            time.sleep(0.02)
        self.init = only_child(self.power.pid)
        self.address = self.network.join(self.number, self.init)

    def power_off(self):
        if self.power is not None:
            kill(self.init)
            self.power.wait(START_SECONDS)
            self.power = None

    def inside(self):
        return ["nsenter", "--target", str(self.init), "--pid", "--mount", "--net"]

    def start(self, line, environment, log):
        """A process whose end is to be seen here: what is returned ends with it."""
        with log.open("ab") as file:
            return subprocess.Popen(
                [*self.inside(), *map(str, line)],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def start_with_id(self, pid, line, environment, log):
        """A service that gets this process id, as it will have wherever it is thawed."""
        done = subprocess.run(
            [*self.inside(), "bash", "-c", START_WITH_ID, *map(str, line)],
            env=os.environ | environment | {"ID": str(pid), "LOG": str(log)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BenchFailure(f"{self.name} did not give process id {pid}: {done.stderr.strip()}")

    def ids_of_others(self):
        """What starts from now on, daemons and their threads, gets ids far from those that come back with a thaw."""
        subprocess.run([*self.inside(), "bash", "-c", "echo 1000 > /proc/sys/kernel/ns_last_pid"], check=True)

    def remove(self, *files):
        """Of what is the machine's own; no matter if they are not there."""
        subprocess.run([*self.inside(), "rm", "-f", *map(str, files)], check=True)

    def kill(self, pid):
        """By the machine's own count; no matter if there is none."""
        subprocess.run([*self.inside(), "kill", "-KILL", str(pid)], capture_output=True, check=False)


def only_child(pid):
    deadline = time.monotonic() + START_SECONDS
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        if time.monotonic() > deadline:
            raise BenchFailure(f"process {pid} started nothing")
        time.sleep(0.01)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
