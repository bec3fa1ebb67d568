"""What the dashboard's program keeps open."""

from pathlib import Path

import pytest

from gavo_exec.dashboard import Remembered
from gavo_exec.errors import StoreError
from gavo_exec.parts import open_store
from gavo_exec.past import Deed
from gavo_exec.settings import Settings
from gavo_exec.testing import EPOCH


def write(settings: Settings, what: str) -> None:
    store = open_store(settings)
    store.put_deed(Deed(at=EPOCH, who="jo", what=what))
    store.close()


def seen(remembered: Remembered) -> list[str]:
    with remembered.opened() as store:
        return [deed.what for deed in store.deeds()]


def test_a_state_that_was_put_aside_is_not_shown_any_more(tmp_path: Path) -> None:
    settings = Settings(inputs_dir=str(tmp_path), state_dir=str(tmp_path / "state"))
    write(settings, "paused")
    remembered = Remembered(settings)
    assert seen(remembered) == ["paused"]
    for number in range(3):
        for path in list(Path(settings.state_dir).glob("state.sqlite*")):
            path.rename(path.with_name(f"damaged-{number}-{path.name}"))
        write(settings, f"started {number}")
        assert seen(remembered) == [f"started {number}"]
    remembered.close()


def test_after_a_fault_it_is_opened_anew(tmp_path: Path) -> None:
    settings = Settings(inputs_dir=str(tmp_path), state_dir=str(tmp_path / "state"))
    write(settings, "paused")
    remembered = Remembered(settings)
    with pytest.raises(StoreError, match="no"), remembered.opened() as first:
        raise StoreError("no")
    with remembered.opened() as second:
        assert second is not first
    assert seen(remembered) == ["paused"]
    remembered.close()
