"""What DaCHS makes of RDs, for comparison: run by a Python that has DaCHS, which is used here as it comes.

Usage: dachs.py < one JSON object a line: {"inputs_dir": ..., "config_dir": ..., "path": ...}
For each line one JSON object is printed: {"executes": [...]} or {"error": "kind: text"}.
"""

import json
import os
import signal
import sys
import tempfile
import warnings
from importlib import import_module
from typing import Any

warnings.simplefilter("ignore")
MOST_SECONDS = 120
"""How long DaCHS may take for an RD; it knows no bounds for what streams make of each other."""


def text_of(value: Any) -> Any:
    """A value as JSON can have it; what is not given is null."""
    base = import_module("gavo.base")
    return None if value is base.NotGiven or value is base.Undefined else value


def look_at(task: dict[str, str]) -> dict[str, Any]:
    """What DaCHS makes of one RD."""
    base = import_module("gavo.base")
    base.setConfig("inputsDir", task["inputs_dir"])
    if task["config_dir"]:
        base.setConfig("configDir", task["config_dir"])
    below = os.path.relpath(task["path"], task["inputs_dir"])
    rd = base.caches.getRD(below)
    executes = []
    for execute in rd.jobs:
        job = execute.job
        executes.append(
            {
                "id": text_of(execute.id),
                "title": execute.title,
                "at": text_of(execute.at) or [],
                "every": text_of(execute.every),
                "debug": execute.debug,
                "properties": dict(execute.properties),
                "function": job.getFuncCode(),
                "setup": job.getSetupCode(),
            }
        )
    return {"schema": rd.schema, "resdir": rd.resdir, "executes": executes}


def main() -> None:
    """Answer one task after the other, each in a process of its own, as DaCHS remembers what it has read."""
    with tempfile.NamedTemporaryFile("w", suffix=".rc") as settings:
        settings.write("[general]\nrootDir: /nonexisting\nmaintainerAddress: ops@example.org\n")
        settings.write("cacheDir: /var/gavo/cache\n[web]\nserverURL: http://dc.example.org\n")
        settings.write("[ivoa]\nauthority: example.org\n")
        settings.flush()
        os.environ["GAVOSETTINGS"] = settings.name
        import_module("gavo.api")
        database = import_module("gavo.rscdef.rdinj")

    # There is no database, which RDs are otherwise completed from.
    vars(database)["injectIntoContext"] = lambda *_arguments, **_more: None
    for line in sys.stdin:
        task = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            signal.alarm(MOST_SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            try:
                answer = look_at(task)
            except BaseException as fault:
                answer = {"error": f"{type(fault).__name__}: {fault}"}
            with os.fdopen(writing, "w") as pipe:
                json.dump(answer, pipe, default=str)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        print(said or '{"error": "it took too long"}', flush=True)


main()
