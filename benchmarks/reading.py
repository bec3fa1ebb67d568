"""Milliseconds to read COUNT RDs of SIZE bytes each.  Usage: reading.py CONTENDER COUNT SIZE."""

import sys
import tempfile
import time
from pathlib import Path

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<resource schema="bench{number}" resdir=".">
  <meta name="title">A resource</meta>
  <meta name="creator.name">Somebody</meta>
"""
TABLE = """  <table id="t{number}" onDisk="True" adql="True">
    <meta name="description">Some magnitudes.</meta>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main" tablehead="RA"
      description="Right ascension in ICRS" verbLevel="1"/>
    <column name="mag" unit="mag" ucd="phot.mag;em.opt.V" tablehead="V" description="Apparent magnitude"/>
  </table>
"""
TAIL = r"""  <execute every="3600" title="Ingest new files">
    <job><code>
      execDef.spawn("dachs imp \rdId")
    </code></job>
  </execute>
  <execute at="1:00" id="nightly">
    <title>Clean up</title>
    <job><code>
      import shutil
      shutil.rmtree(rd.getAbsPath("cache"), ignore_errors=True)
    </code></job>
  </execute>
</resource>
"""


def make_tree(folder: Path, count: int, size: int) -> list[Path]:
    """RDs of about this size, with two executes each."""
    paths = []
    for number in range(count):
        body = HEAD.format(number=number)
        table = 0
        while len(body) + len(TAIL) < size:
            body += TABLE.format(number=table)
            table += 1
        path = folder / f"r{number}" / "q.rd"
        path.parent.mkdir()
        path.write_text(body + TAIL)
        paths.append(path)
    return paths


def main() -> None:
    """Read them all, once to warm up and then timed."""
    contender, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_tree(folder, count, size)
        if contender == "lxml":
            from lxml import etree

            def read(path: Path) -> object:
                return etree.parse(str(path))
        else:
            from gavo_exec.descriptor import read as read_rd

            def read(path: Path) -> object:
                rd = read_rd(str(path), inputs_dir=name)
                assert len(rd.executes) == 2
                return rd

        read(paths[0])
        begin = time.perf_counter()
        for path in paths:
            read(path)
        print((time.perf_counter() - begin) * 1000)


main()
