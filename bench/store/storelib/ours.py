"""The daemon's store in a process of its own, as long-lived as a daemon is."""

import json
import subprocess

from benchlib.failure import BenchFailure
from benchlib.processes import tail
from benchlib.rewriting import STORE_JAR

# node-daemon/bin/gpusnap-node
AS_THE_DAEMON = ("--enable-native-access=ALL-UNNAMED", "-XX:TrimNativeHeapInterval=30000")


class Store:
    """Answers one request at a time."""

    def __init__(self, supervisor, java, root, more=(), options=()):
        if not STORE_JAR.is_file():
            raise BenchFailure(f"{STORE_JAR} is not there: make build")
        self.supervisor = supervisor
        self.log = supervisor.logs / "ours.log"
        command = [java, *options, *AS_THE_DAEMON, "-jar", STORE_JAR, f"--root={root}", *more]
        with open(self.log, "ab") as errors:
            self.process = supervisor.launch("ours", command, self.log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.answer()

    def answer(self):
        line = self.process.popen.stdout.readline()
        if not line:
            raise BenchFailure(f"the store's process has ended; its last lines:\n{tail(self.log)}")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchFailure(answer["error"])
        return answer

    def ask(self, **request):
        self.process.popen.stdin.write(json.dumps(request, default=str) + "\n")
        self.process.popen.stdin.flush()
        return self.answer()

    def peak_bytes(self):
        return status_bytes(self.process.pid, "VmHWM")

    def forget_peak(self):
        """From now on the peak is a new one."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def close(self):
        self.process.popen.stdin.close()
        self.process.popen.wait(timeout=60)


def status_bytes(pid, key):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise BenchFailure(f"process {pid} tells no {key}")
