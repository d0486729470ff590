"""A small disk that can be full."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path


class Disk:
    """A file system of so many megabytes at `path`, made in a sparse file. Mounting is for root."""

    def __init__(self, image, path, megabytes):
        self.path, self.filler = Path(path), Path(path) / "filler"
        with open(image, "wb") as file:
            file.truncate(megabytes * 1_000_000)
        run("mkfs.ext4", "-q", "-m", "0", "-F", str(image))
        run("mount", "-o", "loop", str(image), str(path))

    def free(self):
        """Bytes that are left."""
        return shutil.disk_usage(self.path).free

    def fill(self, leave=0):
        """Takes all room but so many bytes."""
        self.make_room()
        with open(self.filler, "wb") as file:
            size = max(1, self.free() - leave)
            os.posix_fallocate(file.fileno(), 0, size - size // 500)
            if leave:
                return
            # What is left is in pieces, some of which are free only once the others are written.
            os.lseek(file.fileno(), 0, os.SEEK_END)
            for _ in range(5):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(4096))
                with contextlib.suppress(OSError):
                    os.fsync(file.fileno())

    def make_room(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        # Lazily: a server may still have files open.
        subprocess.run(["umount", "--lazy", str(self.path)], check=False)


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout} (this test has to be root)")
