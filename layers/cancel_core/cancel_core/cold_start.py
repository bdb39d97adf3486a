"""What a function's init leaves out, because it takes longer than it is worth (docs/performance.md)."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

TIME_ZONES = "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"
"""Python's own default on Linux. What is in none of these folders is read from the layer's tzdata."""


class _NoText(str):
    """In the place of botocore's docstrings."""

    __slots__ = ()

    def __new__(cls, *_: object, **__: object) -> _NoText:
        return super().__new__(cls)


def init_begins() -> None:
    """Must run before botocore and pydantic are imported."""
    # Init creates some hundred thousand objects that stay. The garbage collector would search them again and again,
    # which takes a tenth of a cold start.
    gc.disable()
    # pydantic imports zoneinfo, which would read for it how the interpreter was built.
    os.environ.setdefault("PYTHONTZPATH", TIME_ZONES)
    _leave_out_plugins()
    _leave_out_docstrings()
    # Only what turns HTTP/2 on is in its `__init__`, which imports the library that reads packages' metadata.
    _leave_out_init_of("urllib3.http2")


def init_ends() -> None:
    """Turns the garbage collector on. The decorators of the handlers, which are last in each function's init, call it.

    It never searches what exists now, or the first request would pay for it.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _leave_out_plugins() -> None:
    """pydantic would read the metadata of all packages, to find those that extend it. The layer has none."""
    loader = ModuleType("pydantic.plugin._loader")
    vars(loader)["get_plugins"] = tuple
    sys.modules[loader.__name__] = loader


def _leave_out_docstrings() -> None:
    """Keeps botocore from importing what writes the docstrings of a client's methods: a dozen modules, and the standard
    library's parser of HTML. The methods' docstrings are empty then.
    """
    # botocore's clients import the classes in `docstring`, and its event handlers one module of the package. The
    # package's own `__init__` would import all others.
    if _leave_out_init_of("botocore.docs"):
        docstring = ModuleType("botocore.docs.docstring")
        vars(docstring)["__getattr__"] = _class_of_docstrings
        sys.modules[docstring.__name__] = docstring


def _leave_out_init_of(package: str) -> bool:
    """Puts an empty module in the place of a package, whose modules can then be imported without its `__init__`. The
    package is imported as usual when something takes another name from it, as boto3 does.

    False if something in the process has already imported it, as a layer that traces calls may have.
    """
    parent, _, name = package.rpartition(".")
    found = find_spec(parent)
    if found is None or package in sys.modules:
        return False

    def of_the_package(wanted: str) -> object:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        if find_spec(f"{package}.{wanted}"):
            return import_module(f"{package}.{wanted}")
        del sys.modules[package]
        return getattr(import_module(package), wanted)

    empty = ModuleType(package)
    empty.__path__ = [f"{folder}/{name}" for folder in found.submodule_search_locations or ()]
    vars(empty)["__getattr__"] = of_the_package
    sys.modules[package] = empty
    return True


def _class_of_docstrings(name: str) -> type[_NoText]:
    """Whatever class a version of botocore imports from its module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _NoText
