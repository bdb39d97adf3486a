"""How `pytest -n 3` deals the tests out to its processes: by folder, for what a folder needs is started only once."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Folders that must not run at the same time, by whose tests they go with.
TOGETHER = {
    # Both wait for results that must arrive within a time limit.
    "invariants": "faults",
    "load": "faults",
    # Both work on the same built artifacts.
    "bench": "package",
}
# The longest first, so that no process is left alone with one of them at the end. All others come after these.
FIRST = ("faults", "services", "rehearsal", "browser", "stack", "security", "package")


def group(nodeid: str) -> str:
    """The folder of tests/ whose process runs this test."""
    folder = nodeid.split("/")[1]
    return TOGETHER.get(folder, folder)


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands each process a folder, and the next one when it is nearly done with that."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = next((name for name in FIRST if name in self.workqueue), None)
        if longest:
            self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
