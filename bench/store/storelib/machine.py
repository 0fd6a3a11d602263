"""What the numbers were measured on, and how busy it was."""

import os

from benchlib.machine import describe_machine, first_line


def describe(settings_like, criu):
    known = describe_machine(settings_like, criu)
    known.pop("pcie")
    return known | {"loadAverage": os.getloadavg()}


def file_system(folder):
    source, described = first_line(["findmnt", "--noheadings", "--output", "SOURCE,FSTYPE,OPTIONS", "--target", str(folder)]).split(maxsplit=1)
    return described + (" (on a loop device)" if source.startswith("/dev/loop") else "")


def processor_seconds(pid):
    """Of a process, all threads, until now."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
