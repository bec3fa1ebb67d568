"""Python modules beside the data: loaded by path, anew each time, without touching the interpreter's own modules."""

import builtins
import importlib.util
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_import = builtins.__import__


def load_module(path: str) -> tuple[ModuleType, ModuleSpec]:
    """Execute the Python file at ``path`` (with or without ``.py``) as a module; answers it and its specification.

    The module is not entered into ``sys.modules``, and ``sys.path`` stays as it is, so that resources cannot get into
    one another's way.  It can import the modules beside it; these are loaded for it alone.  Raises FileNotFoundError
    where there is no such file, and whatever the module raises.
    """
    return _Folder(Path(path).parent).load(Path(path))


class _Folder:
    """The modules of one folder, as loaded for one call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, ModuleType] = {}

    def load(self, path: Path) -> tuple[ModuleType, ModuleSpec]:
        """Execute one file with our import in place of the usual one."""
        if path.suffix != ".py" or not path.exists():
            path = path.with_name(path.name + ".py")
        if not path.exists():
            raise FileNotFoundError(2, "no such Python module", str(path))
        spec = importlib.util.spec_from_file_location("_".join(path.with_suffix("").parts[-3:]), path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} cannot be loaded as a module")
        module = importlib.util.module_from_spec(spec)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        # Entered before it runs, so that two modules may import each other.
        self._loaded[path.stem] = module
        spec.loader.exec_module(module)
        return module, spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as ever, but modules beside the loaded one come first."""
        if level == 0 and "." not in name:
            if name in self._loaded:
                return self._loaded[name]
            beside = self._folder / f"{name}.py"
            if beside.exists():
                return self.load(beside)[0]
        return _import(name, globals, locals, fromlist or (), level)
