"""A server that sends scripted replies: any bytes, in any pieces, ended in any way."""

from __future__ import annotations

from .loopback import Ending, Framing, LoopbackServer, ReceivedRequest, Reply

__all__ = ["Ending", "FaultServer", "Framing", "ReceivedRequest", "Reply"]


class FaultServer(LoopbackServer):
    """Sends the replies in order, whatever is asked, and the last one again for ever."""

    def __init__(self, *replies: Reply, port: int = 0) -> None:
        super().__init__(port=port)
        self._replies = replies

    def answer(self, request: ReceivedRequest) -> Reply:
        """The next reply of the script."""
        return self._replies[min(len(self.requests), len(self._replies)) - 1]
