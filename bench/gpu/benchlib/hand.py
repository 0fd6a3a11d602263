"""The daemon's command line, by hand: no service. A node of its own: state, store and pool."""

import json
import os
import re
import subprocess
import threading
import time

from .failure import BenchFailure
from .processes import Running, descendants

STAGE = re.compile(r"^(?P<name>[a-z][a-z-]*)  (?P<state>done|failed|compensated)\b")
PROBLEM = re.compile(r"^(?P<code>[A-Z][A-Z_]{2,}): (?P<detail>.*)$")
COMMAND_SECONDS = 300


class CommandFailure(BenchFailure):
    """A command ended with one line: code, what was found, the mend."""

    def __init__(self, verb, code, detail, last_stage):
        super().__init__(f"{verb}: {code}: {detail}")
        self.code = code
        self.detail = detail
        self.last_stage = last_stage


class Command:
    """One command under way. Its stages are timed by when it says that each has ended."""

    def __init__(self, verb, command, log, supervisor):
        self.verb = verb
        self.log = log
        self.stages = []
        self.problem = None
        self.began = time.monotonic()
        # Known to the supervisor: a script that is asked to end must not leave it behind.
        self.popen = supervisor.launch(
            verb, command, log, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        ).popen
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        with open(self.log, "a", encoding="utf-8") as log, self.popen.stderr as lines:
            for line in lines:
                now = time.monotonic()
                log.write(f"{now - self.began:8.3f}  {line}")
                self.hear(line.rstrip("\n"), now)

    def hear(self, line, now):
        stage = STAGE.match(line)
        if stage is not None:
            self.stages.append((stage["name"], stage["state"], now))
            return
        problem = PROBLEM.match(line)
        if problem is not None and problem["code"] != "WARNING":  # which is the JVM's
            self.problem = (problem["code"], problem["detail"])

    def result(self):
        """(its JSON answer, seconds of the whole command). Raises CommandFailure."""
        out = self.output()
        seconds = time.monotonic() - self.began
        if self.popen.returncode != 0:
            code, detail = self.problem or ("UNKNOWN", f"exit status {self.popen.returncode}; see {self.log}")
            raise CommandFailure(self.verb, code, detail, self.stages[-1][0] if self.stages else None)
        return json.loads(out), seconds

    def output(self):
        """What it printed, when it has ended; it is killed when that takes far too long."""
        timer = threading.Timer(COMMAND_SECONDS, self.popen.kill)
        timer.start()
        try:
            with self.popen.stdout as pipe:
                out = pipe.read()
            self.popen.wait()
        finally:
            timer.cancel()
        self.listener.join(10)
        return out

    def finished_at(self, stage):
        """When a stage ended, on this process's monotonic clock."""
        for name, state, at in self.stages:
            if name == stage and state == "done":
                return at
        raise BenchFailure(f"{self.verb} told of no stage {stage}: {self.stages}")

    def between(self):
        """Seconds from each stage's end to the end of the one before: its time, where nothing runs beside it."""
        seconds = {}
        for (_, _, before), (name, state, at) in zip(self.stages, self.stages[1:]):
            if state == "done":
                seconds[name] = round(at - before, 3)
        return seconds


class ByHand:
    """A node: `name` keeps nodes apart; its folders are under settings.ram and settings.work."""

    def __init__(self, settings, supervisor, name, pool_bytes, nvme_root=None):
        self.settings = settings
        self.supervisor = supervisor
        self.name = name
        self.log = supervisor.logs / f"commands-{name}.log"
        state = settings.work / f"node-{name}"
        scratch = settings.ram / f"scratch-{name}"
        store = nvme_root or settings.ram / f"store-{name}"
        for folder in (state, scratch, store):
            folder.mkdir(parents=True, exist_ok=True)
        configuration = {
            "node.name": f"bench-{name}",
            "state.dir": state,
            "nvme.root": store,
            "memory.poolBytes": pool_bytes,
            "memory.poolPath": settings.ram / f"pool-{name}/pool",
            "scratch.dir": scratch,
            "scratch.hugePages": "true",
            "criu.path": settings.criu,
            "native.dir": settings.native_dir,
            "transfer.threads": min(os.cpu_count() or 1, 16),
        }
        if settings.driver:
            configuration["cuda.driver"] = settings.driver
        self.configuration = settings.work / f"node-{name}.properties"
        self.configuration.write_text("".join(f"{key}={value}\n" for key, value in configuration.items()))

    def begin(self, verb, *arguments):
        command = [
            self.settings.java, "-jar", self.settings.daemon_jar, verb, "--config", self.configuration, "--json", *arguments,
        ]  # fmt: skip
        return Command(verb, command, self.log, self.supervisor)

    def save(self, process, after="--stop"):
        """Freezes a process and those below it; with --stop they are gone afterwards, and their ids are free. Returns what is
        known of the save."""
        family = [process, *(Running(f"{process.name}-{pid}", pid, process.log) for pid in descendants(process.pid))]
        command = self.begin("save", "--pid", process.pid, after, "--engine", "criu+cuda")
        saved, seconds = command.result()
        if after == "--stop":
            for one in family:
                one.wait_gone(30)
        return {**saved, "commandSeconds": round(seconds, 3), "stages": command.between()}

    def begin_thaw(self, snapshot_id, gpus=()):
        return self.begin("thaw", snapshot_id, *(part for gpu in gpus for part in ("--gpu", gpu)))

    def end_thaw(self, command, name, log):
        """Waits for the thaw and answers for the process that it made. Returns (process, what is known of the thaw)."""
        thawed, seconds = command.result()
        process = self.supervisor.adopt(name, thawed["pid"], log)
        return process, {**thawed, "commandSeconds": round(seconds, 3)}

    def thaw(self, snapshot_id, name, log, gpus=()):
        return self.end_thaw(self.begin_thaw(snapshot_id, gpus), name, log)
