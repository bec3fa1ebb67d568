"""Pages about what is sound Python in job code and yet a mistake."""

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "W601": r"""
The run would fail with code 127. A name without a slash is looked for on PATH, which the daemon may have another of
than you; with one, it counts from the resdir. A program must be executable.

Wrong:
execDef.spawn(["bin/fetsh.sh", "--all"])

Mend:
execDef.spawn(["bin/fetch.sh", "--all"])
""",
    "W602": r"""
The run would fail, since Python cannot open the file. Relative paths count from the resdir.

Wrong:
execDef.spawnPython("fetch.py")

Mend:
execDef.spawnPython("bin/fetch.py")
""",
    "W603": r"""
The run would fail. Relative paths count from the resource directory, not from the resdir: that is what
rd.getAbsPath is for.

Wrong:
tools, _ = utils.loadPythonModule("bin/tools")
tools.fetch()

Mend:
tools, _ = utils.loadPythonModule(rd.getAbsPath("bin/tools"))
tools.fetch()
""",
    "W604": r"""
A sleeping job keeps a worker, so that others may start late, and holds up the daemon's stop. The daemon's trade is
to wait: let the job end, and look again at its next run.

Wrong:
while not os.path.exists(rd.getAbsPath("ready")):
  time.sleep(600)
print("ready")

Mend:
if not os.path.exists(rd.getAbsPath("ready")):
  return
print("ready")
""",
    "W605": r"""
All jobs are threads of one process, which has one working directory, one environment, one standard output. What one
job changes there, all others run with.

Wrong:
os.chdir(rd.resdir)
os.environ["STATION"] = "Hd"
execDef.spawn(["ls"])

Mend:
execDef.spawn(["env", "STATION=Hd", "ls"])
""",
    "W606": r"""
A job is a thread of the daemon. A fork of the daemon is a second daemon with the first one's locks and files; _exit
ends all jobs, without records and mails.

Wrong:
if os.fork() == 0:
  os._exit(0)

Mend:
execDef.spawn(["true"])
""",
    "W607": r"""
Python lets only the main thread set signal handlers, so that this raises ValueError. An alarm would end the daemon.

Wrong:
import signal
signal.alarm(60)
print(sum(range(1000)))

Mend:
execDef.spawn(["timeout", "60", "true"])
""",
    "W608": r"""
In a job, sys.exit ends nothing but the run: with 0 or nothing as a good one, else as a failed one that says nothing
of its cause. return says the first, and an exception with a message the second. In DaCHS neither is noticed.

Wrong:
if not os.path.exists(rd.getAbsPath("data")):
  sys.exit(1)

Mend:
if not os.path.exists(rd.getAbsPath("data")):
  raise base.ReportableError("there are no data")
""",
    "W609": r"""
What execDef.spawn starts runs in the resdir; its output is kept in bounds and mailed with failures, and it is ended
with the daemon. Of other children nobody knows. Where their output is wanted in the job, subprocess is fine, and
not told.

Wrong:
import subprocess
subprocess.call(["true"])
os.system("true")

Mend:
execDef.spawn(["true"])
execDef.spawn(["sh", "-c", "true"])
""",
    "W610": r"""
A bare except catches SystemExit and KeyboardInterrupt, too, by which a run is to end. Catch Exception at most, or
raise again.

Wrong:
try:
  print(1 / 0)
except:
  print("never mind")

Mend:
try:
  print(1 / 0)
except ArithmeticError:
  print("never mind")
""",
    "W611": r"""
You are mailed what a job raises. What is caught and passed over is in no mail: the job looks good, and does
nothing.

Wrong:
try:
  print(1 / 0)
except Exception:
  pass

Mend:
try:
  print(1 / 0)
except ArithmeticError as fault:
  base.ui.notifyWarning(f"no quotient: {fault}")
""",
    "W612": r"""
A server that takes a connection and then says nothing holds the job for ever. As a job never runs twice at once, it
does not run again then.

Wrong:
print(urllib.request.urlopen("http://example.org").status)

Mend:
print(urllib.request.urlopen("http://example.org", timeout=60).status)
""",
    "W613": r"""
Children run in the resdir, but code in the daemon runs where the daemon was started, as a rule in /.

Wrong:
with open("last.txt") as file:
  print(file.read())

Mend:
with open(rd.getAbsPath("last.txt")) as file:
  print(file.read())
""",
    "W614": r"""
Jobs run without DaCHS, so that its database connections and its other modules are not there. This is told only
where DaCHS is not installed.

Wrong:
with base.getTableConn() as conn:
  print(conn)

Mend:
execDef.spawnPython("bin/fetch.py")
""",
    "W615": r"""
When the run gets there it fails with a NameError. Names that need no import are on the page about writing jobs; all
others are imported in the code or the setup.

Wrong:
print(json.dumps({}))

Mend:
import json
print(json.dumps({}))
""",
    "W616": r"""
A run has ended when its code has. A thread that goes on after that is not guarded: the next run may start beside
it, its failures are not mailed, its output is not kept.

Wrong:
import threading
thread = threading.Thread(target=print)
thread.start()

Mend:
import threading
thread = threading.Thread(target=print)
thread.start()
thread.join()
""",
}
"""By code: why, what is wrong, its mend."""
