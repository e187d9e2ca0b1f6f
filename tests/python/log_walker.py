#!/usr/bin/env python3
"""Verifies what Lango wrote of a log with Python's standard library and `cryptography`, and nothing of Lango's.

Usage: log_walker.py KEY LOG [PROOF ENTRY]

KEY is a file with the log's key as C2SP's signed notes write it. LOG is a folder of static files in the form of C2SP's
tlog-tiles: its root is derived anew from the bundles of entries, and from the tiles, and both must be the checkpoint's.
PROOF is a file in the form of C2SP's tlog-proof for the bytes of ENTRY. Each line that is printed is proven; exit code 1 says
what is not.
"""
import base64
import hashlib
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


class Wrong(Exception):
    """What is not proven."""


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    """The root of a tree over these hashes, as RFC 6962 defines it."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


class Key:
    """A key of notes: its name, its identifier, and the public key."""

    def __init__(self, text):
        self.name, identifier, encoded = text.strip().split("+", 2)
        kind, public = base64.b64decode(encoded, validate=True)[:1], base64.b64decode(encoded)[1:]
        self.identifier = bytes.fromhex(identifier)
        expected = hashlib.sha256(self.name.encode() + b"\n" + kind + public).digest()[:4]
        if kind != b"\1" or self.identifier != expected:
            raise Wrong(f"the key of {self.name} is not one of Ed25519 with its own identifier")
        self.public = Ed25519PublicKey.from_public_bytes(public)

    def checkpoint(self, note):
        """The size and the root of a signed checkpoint."""
        text, found, signatures = note.partition("\n\n")
        text += "\n"
        lines = text.split("\n")
        if not found or len(lines) < 4 or lines[0] != self.name or str(int(lines[1])) != lines[1]:
            raise Wrong(f"no checkpoint of {self.name}")
        for line in signatures.splitlines():
            _, name, encoded = line.split(" ")
            signature = base64.b64decode(encoded, validate=True)
            if name == self.name and signature[:4] == self.identifier:
                try:
                    self.public.verify(signature[4:], text.encode())
                except InvalidSignature as error:
                    raise Wrong("the checkpoint's signature does not hold") from error
                return int(lines[1]), base64.b64decode(lines[2], validate=True)
        raise Wrong(f"no signature of {self.name}")


def path(log, level, index, width):
    """Where a tile is: groups of three digits, all but the last after an x; a partial one is beside them."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    name = "/".join(groups) + (f".p/{width}" if width < WIDTH else "")
    return log / "tile" / str(level) / name


def tiles(log, level, size):
    """The bytes of each tile of a level with this number of hashes or entries, and how many it has."""
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        yield path(log, level, index, width).read_bytes(), width


def entries(bundle):
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        if len(bundle) < 2 + length:
            raise Wrong("a bundle ends within its entry")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]


def walk(log, size, root):
    """Derives the root from every entry, and holds every tile against the hashes below it."""
    hashes = []
    for bundle, width in tiles(log, "entries", size):
        found = [leaf(entry) for entry in entries(bundle)]
        if len(found) != width:
            raise Wrong(f"a bundle has {len(found)} entries instead of {width}")
        hashes += found
    if root_of(hashes) != root:
        raise Wrong("the entries do not lead to the root")
    count, level = 0, 0
    while hashes:
        for number, (tile, width) in enumerate(tiles(log, level, len(hashes))):
            if tile != b"".join(hashes[number * WIDTH : number * WIDTH + width]):
                raise Wrong(f"tile {number} of level {level} is not that of the hashes below it")
            count += 1
        full = len(hashes) // WIDTH
        hashes = [root_of(hashes[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
        level += 1
    return count


def included(index, size, entry, proof):
    """The root that an inclusion proof leads to: RFC 9162, section 2.1.3.2."""
    if not index < size:
        raise Wrong("the entry is not within the tree")
    number, last, found = index, size - 1, leaf(entry)
    for hash in proof:
        if last == 0:
            raise Wrong("the proof is too long")
        if number & 1 or number == last:
            found = node(hash, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node(found, hash)
        number, last = number >> 1, last >> 1
    if last:
        raise Wrong("the proof is too short")
    return found


def prove(key, text, entry):
    head, _, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1":
        raise Wrong("no proof in the form of tlog-proof")
    if lines[0].startswith("extra "):
        lines.pop(0)
    index = int(lines[0].removeprefix("index "))
    size, root = key.checkpoint(note)
    if included(index, size, entry, [base64.b64decode(line, validate=True) for line in lines[1:]]) != root:
        raise Wrong(f"entry {index} is not in it")
    return index, size


def main(words):
    if len(words) not in (2, 4):
        print("usage: log_walker.py KEY LOG [PROOF ENTRY]", file=sys.stderr)
        return 2
    try:
        key = Key(pathlib.Path(words[0]).read_text())
        log = pathlib.Path(words[1])
        size, root = key.checkpoint((log / "checkpoint").read_text())
        print(f"checkpoint of {size} entries")
        count = walk(log, size, root)
        print(f"{size} entries and {count} tiles lead to the root")
        if len(words) == 4:
            index, within = prove(key, pathlib.Path(words[2]).read_text(), pathlib.Path(words[3]).read_bytes())
            print(f"entry {index} of {within} is in it")
    except (Wrong, ValueError, OSError) as error:
        print(f"not proven: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
