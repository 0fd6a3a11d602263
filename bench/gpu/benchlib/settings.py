"""Where everything is: found beside this file, or said by a flag or in the environment."""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .failure import BenchFailure
from .phases import EXTRA_PHASES

GIB = 1 << 30
HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
MINIMUM_RAM_GIB = 96


@dataclass
class Settings:
    simulated: bool
    root: Path
    here: Path
    python: str
    java: str
    criu: str
    native_dir: Path
    library: Path
    driver: Path | None
    service_jar: Path
    daemon_jar: Path
    cuda_server: Path
    sim_state: Path
    ram: Path
    work: Path
    out: Path
    nvme_root: Path
    pool_bytes: int
    keep: bool
    revision: str
    # Needs libgpusnap only: no daemon, no service, no CRIU, no root.
    lean: bool = False
    disk_root: Path | None = None
    disk_thaws: int = 0
    driver_ahead: str = "off"
    disk_compressed: bool = False
    layers: int = 32
    kv_gib: float = 4.0
    kv_fill: str = "zero"
    extra_phases: list[str] = field(default_factory=list)
    service_java_options: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)


def common(program, description):
    """The flags of every script that measures on a GPU."""
    p = argparse.ArgumentParser(prog=program, description=description)
    p.add_argument("--simulated", action="store_true", help="the whole script with the simulated driver: tries it, measures nothing")
    p.add_argument("--out", type=Path, help="folder of the results (default: bench/results/gpu, bench/results/simulated)")
    p.add_argument("--ram", type=Path, default=Path("/dev/shm/gpusnap-bench"), help="folder on a tmpfs for images, pool and store")
    p.add_argument("--java", default=os.environ.get("GPUSNAP_JAVA"), help="a Java 25 runtime's bin/java")
    p.add_argument("--criu", default=os.environ.get("GPUSNAP_CRIU"), help="CRIU 4.1 or newer, from Linux 6.16 on 4.2 or newer")
    p.add_argument("--native-dir", type=Path, default=os.environ.get("GPUSNAP_NATIVE_DIR"), help="folder of libgpusnap.so and the preload")
    p.add_argument("--service-jar", type=Path, default=jar("GPUSNAP_SERVICE_JAR", "snapshot-service/target/snapshot-service.jar"))
    p.add_argument("--daemon-jar", type=Path, default=jar("GPUSNAP_DAEMON_JAR", "node-daemon/target/gpusnap-node.jar"))
    p.add_argument("--pack-logs", action="store_true", help="logs as one archive")
    p.add_argument("--keep", action="store_true", help="leave the work folders for a look")
    return p


def budgeted(program, description, seconds):
    p = common(program, description)
    p.add_argument("--budget-seconds", type=float, default=seconds, help="what would not end by then is not begun, and listed (default: %(default)s)")
    return p


def parse(arguments):
    p = common(
        "cold-vs-thaw",
        "Cold start, the plain way (driver checkpoint + CRIU with all of VRAM), and gpusnap, in one run on"
        " one GPU machine, answers compared. Writes cold-vs-thaw.json and its logs.",
    )
    p.add_argument("--layers", type=int, default=32, help="32 is the 8B shape")
    p.add_argument("--kv-gib", type=float, default=4.0)
    p.add_argument("--kv-fill", choices=["zero", "random"], default="zero")
    p.add_argument("--pool-gib", type=float, default=None, help="pinned pool (default: 28 GiB, simulated 2 GiB)")
    p.add_argument("--extra", default="second,suspend,cold_pool", help=f"phases after the required ones, of: {','.join(EXTRA_PHASES)}")
    p.add_argument("--disk-root", type=Path, help="folder on a disk, for the phase disk")
    p.add_argument("--disk-thaws", type=int, default=3, help="thaws from there (default: %(default)s)")
    p.add_argument("--driver-ahead", choices=["off", "on", "both"], default="off", help="thaw.driverAhead in thaws from the disk; both: by turns")
    p.add_argument("--compress", action="store_true", help="thaws from the disk by turns from a store as it is and from one by nvme.compress; packed with --for gpu,store")
    p.add_argument("--leave-caches", type=Path, help="folder that takes the compile caches at the end: switch starts faster with them")
    return p.parse_args(arguments)


def jar(variable, built):
    return Path(os.environ.get(variable) or ROOT / built)


def whole_slots(gib):
    return int(gib * GIB) // (4 << 20) * (4 << 20)


def settle(options):
    """For cold-vs-thaw."""
    extra = [name for name in options.extra.split(",") if name]
    unknown = set(extra) - set(EXTRA_PHASES)
    if unknown:
        raise BenchFailure(f"--extra knows no {', '.join(sorted(unknown))}")
    if options.disk_root is not None and "disk" not in extra:
        extra.append("disk")
    return places(
        options,
        pool_bytes=whole_slots(options.pool_gib or (2 if options.simulated else 28)),
        ram_gib=MINIMUM_RAM_GIB,
        disk_root=options.disk_root,
        disk_thaws=options.disk_thaws,
        driver_ahead=options.driver_ahead,
        disk_compressed=options.compress,
        layers=options.layers,
        kv_gib=options.kv_gib,
        kv_fill=options.kv_fill,
        extra_phases=extra,
    )


def results_folder(options):
    return options.out or ROOT / "bench/results" / ("simulated" if options.simulated else "gpu")


def places(options, pool_bytes, ram_gib, **more):
    """Where everything is, checked. `ram_gib`: what must be free on the tmpfs."""
    native = Path(options.native_dir) if options.native_dir else ROOT / "gpu-native/target/native/lib"
    out = results_folder(options)
    settings = Settings(
        simulated=options.simulated,
        root=ROOT,
        here=HERE,
        python=shutil.which("python3") or "python3",
        java=options.java or from_environment_file("JAVA_HOME", "/bin/java") or "java",
        criu=options.criu or from_environment_file("GPUSNAP_CRIU") or "criu",
        native_dir=native.resolve(),
        library=native.resolve() / "libgpusnap.so",
        driver=native.resolve() / "simulated/libcuda.so.1" if options.simulated else None,
        service_jar=options.service_jar.resolve(),
        daemon_jar=options.daemon_jar.resolve(),
        cuda_server=native.resolve().parent / "samples/cuda-server/cuda-server",
        sim_state=options.ram / "simulated-gpu",
        ram=options.ram,
        work=Path(tempfile.mkdtemp(prefix="gpusnap-bench-")),
        out=out.resolve(),
        nvme_root=options.ram / "store",
        pool_bytes=pool_bytes,
        keep=options.keep,
        revision=revision(),
        **more,
    )
    require(settings, ram_gib)
    return settings


def from_environment_file(name, suffix=""):
    """A value of build/env.sh, which scripts/bootstrap.sh writes."""
    file = ROOT / "build/env.sh"
    if not file.is_file():
        return None
    done = subprocess.run(
        ["bash", "-c", f'. "$1"; printf %s "${{{name}:-}}"', "bash", str(file)], capture_output=True, text=True, check=True
    )
    return done.stdout + suffix if done.stdout else None


def revision():
    """Of the code that is measured."""
    return subprocess.run([ROOT / "bench/revision"], capture_output=True, text=True, check=True).stdout.strip()


def require(settings, ram_gib):
    """Everything that would only be missed minutes later, in one answer."""
    files, commands = {"libgpusnap": settings.library}, {}
    if not settings.lean:
        files |= {"the service's jar": settings.service_jar, "the daemon's jar": settings.daemon_jar}
        commands = {"Java": settings.java, "CRIU": settings.criu}
    lacking = [f"{what} ({path})" for what, path in files.items() if not path.is_file()]
    lacking += [f"{what} ({command})" for what, command in commands.items() if shutil.which(command) is None]
    if not settings.lean and os.geteuid() != 0:
        lacking.append("root, for CRIU")
    if settings.disk_root is not None and settings.disk_root.exists():
        lacking.append(f"a --disk-root that does not exist yet ({settings.disk_root})")
    if not settings.simulated:
        lacking += roomy_ram(settings.ram, ram_gib)
    if lacking:
        raise BenchFailure("missing: " + "; ".join(lacking))


def roomy_ram(folder, gib):
    """A tmpfs is half of the memory by default; as root it can grow."""
    existing = folder if folder.exists() else folder.parent
    free = shutil.disk_usage(existing).free
    if free >= gib * GIB:
        return []
    used = shutil.disk_usage(existing).used
    size = int(used / GIB + gib + 16)
    subprocess.run(["mount", "-o", f"remount,size={size}G", str(existing)], check=False, capture_output=True)
    free = shutil.disk_usage(existing).free
    if free >= gib * GIB:
        return []
    return [f"{gib} GiB free on a tmpfs at {existing} (there are {free / GIB:.0f})"]
