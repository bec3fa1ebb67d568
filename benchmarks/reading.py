"""Milliseconds to read COUNT RDs of SIZE bytes each.  Usage: reading.py CONTENDER COUNT SIZE [without].

With ``without`` they have nothing that concerns executes, though they replay streams, as tables do.
"""

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


WITHOUT = """  <table id="last"><FEED source="//scs#splitPosIndex" columns="ra,dec"/></table>
  <service id="s" core="c"><publish render="form" sets="local"/></service>
</resource>
"""


def make_tree(folder: Path, count: int, size: int, *, tail: str = TAIL) -> list[Path]:
    """RDs of about this size, with two executes each, or what ``tail`` has."""
    paths = []
    for number in range(count):
        body = HEAD.format(number=number)
        table = 0
        while len(body) + len(tail) < size:
            body += TABLE.format(number=table)
            table += 1
        path = folder / f"r{number}" / "q.rd"
        path.parent.mkdir(parents=True)
        path.write_text(body + tail)
        paths.append(path)
    return paths


def main() -> None:
    """Read them all, once to warm up and then timed."""
    contender, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    without = "without" in sys.argv[4:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_tree(folder, count, size, tail=WITHOUT if without else TAIL)
        if contender == "lxml":
            from lxml import etree

            def read(path: Path) -> object:
                return etree.parse(str(path))
        else:
            from gavo_exec.descriptor import read as read_rd

            def read(path: Path) -> object:
                rd = read_rd(str(path), inputs_dir=name)
                assert len(rd.executes) == (0 if without else 2)
                return rd

        read(paths[0])
        begin = time.perf_counter()
        for path in paths:
            read(path)
        print((time.perf_counter() - begin) * 1000)


if __name__ == "__main__":
    main()
