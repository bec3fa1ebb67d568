"""The public surface that the program began with, by its names: the executing module of DaCHS as it is documented."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gavo_exec.model import Code
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.executing import RD, CronJob, Execute, GuardedFunctionFactory, JobLoader, base, utils
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.testing import ScriptedRunner, make_execute, make_request

CLASSES: dict[type, dict[str, Any]] = {
    CronJob: {
        "name_": "job",
        "formalArgs": "rd, execDef",
        "completedCallbacks": [],
        "attributes": 10,
        "managed": "bind bindings code deprecated doc id name original procDef setup setups type",
    },
    Execute: {
        "name_": "execute",
        "completedCallbacks": [],
        "attributes": 8,
        "managed": "at debug every id job properties property rd title",
    },
}

METHODS: list[tuple[type, str, str]] = [
    (CronJob, "__init__", "self, parent, **kwargs"),
    (Execute, "__init__", "self, parent, **kwargs"),
    (Execute, "clearProperty", "self, name"),
    (Execute, "completeElement", "self, ctx"),
    (Execute, "getFullId", "self"),
    (Execute, "getProperty", "self, name, default"),
    (Execute, "hasProperty", "self, name"),
    (Execute, "onElementComplete", "self"),
    (Execute, "setProperty", "self, name, value"),
    (Execute, "spawn", "self, cliList"),
    (Execute, "spawnPython", "self, pythonFile, *args"),  # the arguments are ours
    (GuardedFunctionFactory, "makeGuardedThreaded", "self, callable, execDef"),
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_classes_have_the_attributes_of_the_seed(cls: Any) -> None:
    expected = CLASSES[cls]
    for name in ("name_", "completedCallbacks"):
        assert getattr(cls, name) == expected[name]
    assert getattr(cls, "formalArgs", None) == expected.get("formalArgs")
    assert len(cls.attrSeq) == expected["attributes"]
    assert set(cls.managedAttrs) == set(expected["managed"].split())


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_aliases_stand_for_the_same_attribute(cls: Any) -> None:
    assert {id(part) for part in cls.managedAttrs.values()} == {id(part) for part in cls.attrSeq}
    for name, part in cls.managedAttrs.items():
        assert name in part.names
    assert [part.name for part in cls.attrSeq] == sorted(part.name for part in cls.attrSeq)


@pytest.mark.parametrize(
    ("cls", "name", "signature"), METHODS, ids=[f"{cls.__name__}.{name}" for cls, name, _ in METHODS]
)
def test_methods_take_what_the_seed_gives_them(cls: type, name: str, signature: str) -> None:
    parameters = inspect.signature(getattr(cls, name)).parameters.values()
    assert ", ".join(
        str(parameter.replace(annotation=parameter.empty)).partition("=")[0] for parameter in parameters
    ) == (signature)


def test_rd_is_a_property_of_an_execute() -> None:
    assert isinstance(inspect.getattr_static(Execute, "rd"), property)


def rd_of(**kwargs: Any) -> RD:
    """The rd of an execute without a run."""
    loader = JobLoader(ScriptedRunner(), find=lambda _: make_request(make_execute(**kwargs)).rd, choice="own")
    return loader.get_rd("test/q")


class TestExecute:
    """An execute in the seed's shape."""

    def test_it_can_be_made_by_hand(self) -> None:
        rd = rd_of()
        execute = Execute(rd, title="mine", every=60, properties={"a": "b"})
        execute.job = CronJob(execute, code="return rd.sourceId, execDef.getProperty('a')", doc="what it does")
        execute.completeElement(None)
        assert (execute.jobName, execute.parent, execute.rd) == ("mine in test/q", rd, rd)
        assert execute.job.compile({}, "f")(rd, execute) == ("test/q", "b")

    @pytest.mark.parametrize(
        ("attributes", "message"),
        [
            ({}, "an execute needs a title and a job"),
            ({"title": "x", "job": object()}, "exactly one of at and every (or on) says when an execute runs"),
            ({"title": "x", "job": object(), "at": ["7:30"], "every": 5}, "exactly one of at and every"),
        ],
    )
    def test_it_is_not_complete_without_what_it_needs(self, attributes: dict[str, Any], message: str) -> None:
        with pytest.raises(base.StructureError, match=re.escape(message)):
            Execute(rd_of(), **attributes).completeElement(None)

    def test_it_takes_no_attributes_that_it_does_not_have(self) -> None:
        with pytest.raises(base.StructureError, match=r"^execute elements have no evry$"):
            Execute(rd_of(), evry=5)

    def test_callbacks_hear_of_complete_ones(self) -> None:
        heard: list[object] = []

        class Told(Execute):
            """One whose completion is of interest."""

            completedCallbacks = [heard.append]  # noqa: N815, RUF012 -- as the seed has it

        told = Told(rd_of(), title="x", every=1, job=CronJob(None))
        told.completeElement(None)
        assert heard == [told]
        assert Execute.completedCallbacks == []

    def test_what_a_run_leaves_behind_is_its_own(self) -> None:
        [job] = rd_of().jobs
        run = job.for_run(ScriptedRunner({"false": 1}), ActiveRun(make_request(), BoundedOutput(100)))
        run.spawn(["false"])
        run.outputAccum.append("x")
        run.setProperty("shared", "yes")
        [failure] = run.failures
        assert (failure.argv, failure.cwd, failure.returncode) == (("false",), "/inputs/test", 1)
        assert (job.failures, job.outputAccum, job.getProperty("shared")) == ([], [], "yes")


class TestCronJob:
    """The job in the seed's shape."""

    def test_it_offers_its_parts(self) -> None:
        execute = make_execute(code="f()")
        setup = (Code(source="import os\n"), Code(source="def f(): pass\n"))
        rd_job = replace(execute.job, setup=setup, name="do it", doc="does it")
        loader = JobLoader(ScriptedRunner(), find=lambda _: make_request(replace(execute, job=rd_job)).rd, choice="own")
        [job] = [each.job for each in loader.get_rd("test/q").jobs]
        assert (job.code, job.name, job.doc) == ("f()", "do it", "does it")
        assert list(job.setups) == ["import os\n", "def f(): pass\n"]
        assert job.getSetupCode() == "import os\ndef f(): pass\n"
        assert (list(job.bindings), job.procDef, job.original, job.type, job.id, job.deprecated) == ([], *[None] * 5)
        assert job.parent.job is job


def test_base_and_utils_can_be_imported_by_modules(tmp_path: Path) -> None:
    module = tmp_path / "fetch.py"
    module.write_text(
        "from gavo_exec.runtime.executing import base, utils\nx = base.parseInt('5'), utils.formatISODT(None)"
    )
    assert utils.loadPythonModule(str(module))[0].x == (5, None)
    with pytest.raises(base.RDNotFound, match="there is no resource descriptor 'a/q'"):
        base.caches.getRD("a/q")
    with pytest.raises(base.NotFoundError, match="is not configured"):
        base.getConfig("tempDir")
