"""Files that people upload."""

import functools
import struct
import zlib


@functools.cache
def png(width, height, colour=200):
    """A picture of one grey, whose file is a thousandth of its pixels."""
    row = b"\0" + bytes([colour]) * 3 * width
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    # 8 bits of red, green and blue each.
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def pdf(size):
    """A document of so many bytes."""
    head, tail = b"%PDF-1.4\n", b"\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    return head + b"%" * (size - len(head) - len(tail)) + tail


def film(seconds, size=0):
    """A film of so many seconds and bytes, and of no pictures."""
    times = bytes(12) + struct.pack(">II", 1000, seconds * 1000)
    header = times + bytes(100 - len(times))
    start = _box(b"ftyp", b"isom\0\0\x02\0isomiso2mp41") + _box(b"moov", _box(b"mvhd", header))
    return start + _box(b"mdat", bytes(max(0, size - len(start) - 8)))


def _box(kind, content):
    return struct.pack(">I", len(content) + 8) + kind + content
