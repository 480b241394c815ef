"""How a demo ends before its end: by a signal, or because something went wrong beside it."""

import asyncio
import signal

from paydesk.cli.demo.failed import DemoFailed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Cancels the task that made it, once, and knows why. Make it inside that task."""

    def __init__(self) -> None:
        self.why: DemoFailed | None = None
        """What went wrong; None where somebody asked for the end."""
        self.begun = False
        task = asyncio.current_task()
        assert task
        self._task = task
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._end, None)

    def trouble(self, why: DemoFailed) -> None:
        """Something ended that should not have."""
        self._end(why)

    def background_failed(self, name: str, why: BaseException) -> None:
        """A task beside the main one raised."""
        self._end(why if isinstance(why, DemoFailed) else DemoFailed(f"{name}: {type(why).__name__} {why}".rstrip()))

    def _end(self, why: DemoFailed | None) -> None:
        """Only the first reason counts; while everything is being put away, no signal disturbs that."""
        if not self.begun:
            self.begun, self.why = True, why
            self._task.cancel()
