"""The one thread of the payment path: it does nothing but COMMIT, so that the loop goes on while the disk works.

A thread of our own, since `run_in_executor` costs several times as much: a future of each kind, with locks for both.
"""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Asked = tuple[Callable[[], object], asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class CommitThread:
    """Runs one thing after the other; ends with `close`."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Asked | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="commit", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], object]) -> None:
        """Returns when `work` has; raises what it raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._asked.put((work, loop, done))
        await done

    def close(self) -> None:
        """What was asked for is finished first."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            work, loop, done = asked
            raised: BaseException | None = None
            try:
                work()
            except BaseException as why:
                raised = why
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(_tell, done, raised)


def _tell(done: "asyncio.Future[None]", raised: BaseException | None) -> None:
    if done.done():  # Whoever waited was cancelled.
        return
    if raised is None:
        done.set_result(None)
    else:
        done.set_exception(raised)
