"""A site that commands are called on: a resource directory and a state directory."""

from contextlib import closing
from pathlib import Path

import pytest

from gavo_exec.runtime.process import is_alive, process_holder
from gavo_exec.services.store import SQLiteStore


class Site:
    """A site in a folder, as the environment names it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inputs_dir = root / "inputs"
        self.state_dir = root / "state"
        monkeypatch.setenv("GAVO_EXEC_INPUTS_DIR", str(self.inputs_dir))
        monkeypatch.setenv("GAVO_EXEC_STATE_DIR", str(self.state_dir))

    def put(self, rd_id: str, text: str) -> Path:
        """Write an RD."""
        path = self.inputs_dir / f"{rd_id}.rd"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def store(self) -> closing[SQLiteStore]:
        """The state, to be written."""
        self.state_dir.mkdir(exist_ok=True)
        return closing(SQLiteStore(self.state_dir / "state.sqlite", holder=process_holder(), is_alive=is_alive))
