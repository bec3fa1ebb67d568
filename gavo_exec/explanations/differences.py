"""Pages about what is otherwise than in DaCHS."""

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "N701": r"""
DaCHS runs jobs of RDs that somebody has asked for, or that it loads at its start. Here all RDs of the resource
directory run, so that jobs may start that have never run before.

Wrong:
$ ls inputs/old/q.rd  # with a job that nobody wants any more

Mend:
$ mv inputs/old/q.rd inputs/old/q.rd.disabled
""",
    "N702": r"""
DaCHS cannot load an RD without a schema. Here it is good, and its resdir is the folder it is in.

Wrong:
<resource resdir=".">

Mend:
<resource schema="weather" resdir=".">
""",
    "N703": r"""
Only newer versions than 2.7 know on="loaded". In older ones the whole RD cannot be loaded.

Wrong:
<execute title="Prepare" on="loaded"><job><code>pass</code></job></execute>

Mend:
<execute title="Prepare" every="-86400"><job><code>pass</code></job></execute>
""",
    "N704": r"""
In DaCHS, jobs are known by their titles, and of like ones in an RD only the last runs. Here all of them run.

Wrong:
<execute title="Fetch" at="1:00"><job><code>print(1)</code></job></execute>
<execute title="Fetch" at="2:00"><job><code>print(2)</code></job></execute>

Mend:
<execute title="Fetch early" at="1:00"><job><code>print(1)</code></job></execute>
<execute title="Fetch late" at="2:00"><job><code>print(2)</code></job></execute>
""",
    "N705": r"""
In DaCHS 2.7, debug together with a program that prints something ends in an error, and nothing is mailed. Here you are
mailed what it prints, after each run.

Wrong:
<execute title="Fetch" at="1:00" debug="True"><job><code>execDef.spawn(["bin/fetch"])</code></job></execute>

Mend:
<execute title="Fetch" at="1:00"><job><code>execDef.spawn(["bin/fetch"])</code></job></execute>
""",
    "N711": r"""
A string is split here as a shell would. In DaCHS it is the name of one program, which is not found.

Wrong:
execDef.spawn("bin/fetch --all")

Mend:
execDef.spawn([rd.getAbsPath("bin/fetch"), "--all"])
""",
    "N712": r"""
Children run in the resdir here, and in the working directory of the server in DaCHS.

Wrong:
execDef.spawn(["bin/fetch", "data/last.txt"])

Mend:
execDef.spawn([rd.getAbsPath("bin/fetch"), rd.getAbsPath("data/last.txt")])
""",
    "N713": r"""
spawnPython runs the interpreter that gavo-exec runs in, which may have other modules than the python3 on the server's
PATH.

Wrong:
execDef.spawnPython("bin/fetch.py")

Mend:
execDef.spawn(["python3", rd.getAbsPath("bin/fetch.py")])
""",
    "N714": r"""
In DaCHS, spawnPython takes no arguments and answers None.

Wrong:
if execDef.spawnPython("bin/fetch.py", "--all") == 0:
  print("fetched")

Mend:
if execDef.spawn(["python3", rd.getAbsPath("bin/fetch.py"), "--all"]) == 0:
  print("fetched")
""",
    "N715": r"""
In DaCHS, sys.exit ends the job without a word. Here, a code other than 0 makes the run a failed one, which is mailed.

Wrong:
sys.exit(1)

Mend:
raise base.ReportableError("there are no data")
""",
    "N716": r"""
Jobs run in a process of their own here: the connections and modules of the DaCHS server are not there.

Wrong:
with base.getTableConn() as conn:
  print(conn)

Mend:
execDef.spawn(["dachs", "imp", "weather/q"])
""",
    "N717": r"""
What a job sets on rd is seen by the other jobs of the RD, but not by services, which are in another process.

Wrong:
rd.latest = 3

Mend:
with open(rd.getAbsPath("latest.txt"), "w") as file:
  file.write("3")
""",
    "N718": r"""
DaCHS adds .py itself, and counts relative paths from the working directory of the server.

Wrong:
utils.loadPythonModule("weather/bin/tools.py")

Mend:
utils.loadPythonModule(rd.getAbsPath("bin/tools"))
""",
    "N731": r"""
What DaCHS reads in a way that can hardly be meant is refused here, and says so. Until it is mended, the jobs of the RD
do not run.

Wrong:
<execute title="Fetch" at="7:30pm"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" at="19:30"><job><code>pass</code></job></execute>
""",
}
"""By code: why, what is wrong, its mend."""
