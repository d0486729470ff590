"""What processes cost: CPU seconds and memory from /proc."""

import os

TICK = os.sysconf("SC_CLK_TCK")


def _fields(pid):
    with open(f"/proc/{pid}/stat") as file:
        # The name in parentheses may have spaces.
        return file.read().rpartition(") ")[2].split()


def family(root):
    """A process and what it has started."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                children.setdefault(int(_fields(name)[1]), []).append(int(name))
            except OSError:
                pass
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def seconds(root):
    """CPU seconds of a family, and of those of it that have ended."""
    total = 0
    for pid in family(root):
        try:
            total += sum(map(int, _fields(pid)[11:15]))
        except OSError:
            pass
    return total / TICK


def memory(root):
    """Resident megabytes of a family; what it shares is counted once for each that has it."""
    total = 0
    for pid in family(root):
        try:
            with open(f"/proc/{pid}/status") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith("VmRSS:")), 0)
        except OSError:
            pass
    return total / 1024


def busy():
    """CPU seconds that all processes of the machine have used."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK
