"""What a function's init leaves out, because it takes longer than it is worth (docs/performance.md)."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


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
    # pydantic would read the metadata of all packages, to find those that extend it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _leave_out_docstrings()


def init_ends() -> None:
    """Turns the garbage collector on. The decorators of the handlers, which are last in each function's init, call it.

    It never searches what exists now, or the first request would pay for it.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _leave_out_docstrings() -> None:
    """Keeps botocore from importing what writes the docstrings of a client's methods: a dozen modules, and the standard
    library's parser of HTML. The methods' docstrings are empty then.
    """
    botocore = find_spec("botocore")
    # Something in the process, as a layer that traces calls, may have imported it before.
    if botocore is None or "botocore.docs" in sys.modules:
        return
    # botocore's clients import the classes in `docstring`, and its event handlers one module of the package. The
    # package's own `__init__` would import all others.
    docs, docstring = ModuleType("botocore.docs"), ModuleType("botocore.docs.docstring")
    docs.__path__ = [f"{folder}/docs" for folder in botocore.submodule_search_locations or ()]
    vars(docs)["__getattr__"] = _of_the_package
    vars(docstring)["__getattr__"] = _class_of_docstrings
    sys.modules |= {module.__name__: module for module in (docs, docstring)}


def _of_the_package(name: str) -> object:
    """What boto3 imports from the package itself."""
    if name.startswith("__"):
        raise AttributeError(name)
    del sys.modules["botocore.docs"]
    return getattr(import_module("botocore.docs"), name)


def _class_of_docstrings(name: str) -> type[_NoText]:
    """Whatever class a version of botocore imports from its module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _NoText
