"""Lets atheris look for bytes that bring the reader down, or hold it up: more than a second for each 100 kB.

    pip install atheris
    python tests/fuzz/reader.py -max_total_time=3600 CORPUS

CORPUS is a folder for what it finds on the way; the RDs of the tests are where it begins.
"""

import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gavo_exec"]):
    from gavo_exec.descriptor import read
    from gavo_exec.errors import DescriptorError

DATA = Path(__file__).parents[1] / "data"
SECONDS_PER_BYTE = 1 / 100_000


def seconds_for(data: bytes) -> float:
    """Read one RD, and say how long that took; anything but an RD or a DescriptorError is a finding."""
    begun = time.process_time()
    try:
        read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True)
    except DescriptorError as error:
        for diagnostic in error.diagnostics:
            diagnostic.render()
    return time.process_time() - begun


def try_one(data: bytes) -> None:
    """Read one RD; a long wait is a finding, too, if it was not the machine's."""
    limit = max(1.0, len(data) * SECONDS_PER_BYTE)
    if seconds_for(data) > limit and min(seconds_for(data) for _ in range(3)) > limit:
        raise TimeoutError(f"{len(data)} bytes take more than {limit:.1f} s")


def main() -> None:
    """Begin with the RDs of the tests, and go on as told."""
    corpus = Path(sys.argv[-1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(DATA.rglob("*.rd"))):
        (corpus / f"rd-{number}").write_bytes(path.read_bytes())
    words = corpus.with_suffix(".dict")
    names = (
        "execute job code setup par bind procDef property macDef STREAM NXSTREAM FEED LFEED LOOP events DEFAULTS EDIT "
        "PRUNE listItems csvItems original source reexpand passivate every title"
    )
    words.write_text("".join(f'"{word}"\n' for word in [*names.split(), "\\\\\\\\item", "\\\\\\\\rdId"]))
    atheris.Setup([*sys.argv[:-1], f"-dict={words}", "-max_len=20000", "-timeout=30", str(corpus)], try_one)
    atheris.Fuzz()


main()
