"""Assistants: threads, their messages and runs.

https://platform.openai.com/docs/api-reference/assistants
"""

from __future__ import annotations

from collections.abc import Iterator

from .loopback import Reply
from .openai_answers import Question, answer, tokens
from .openai_chat import message_text
from .openai_storage import Shelf
from .openai_wire import JsonObject, frame, json_reply, now, random_id, stream_reply


class Assistants:
    """The assistants, and the threads with their messages and runs."""

    def __init__(self) -> None:
        self._assistants = Shelf("assistant")
        self._threads = Shelf("thread")
        self._messages: dict[str, Shelf] = {}
        self._runs = Shelf("run")

    def create_assistant(self, body: JsonObject) -> JsonObject:
        """The reply to POST /assistants."""
        unset: JsonObject = {
            "name": None,
            "description": None,
            "instructions": None,
            "metadata": {},
        }
        more = {"tools": [], "top_p": 1.0, "temperature": 1.0, "response_format": "auto"}
        head = {"id": random_id("asst_"), "object": "assistant", "created_at": now()}
        return self._assistants.add({**head, **unset, **more, **body})

    def create_thread(self, body: JsonObject) -> JsonObject:
        """The reply to POST /threads."""
        thread: JsonObject = {
            "id": random_id("thread_"),
            "object": "thread",
            "created_at": now(),
            "metadata": body.get("metadata") or {},
            "tool_resources": {},
        }
        self._messages[thread["id"]] = Shelf("message")
        for message in body.get("messages") or ():
            self.create_message(thread["id"], message)
        return self._threads.add(thread)

    def thread(self, thread_id: str) -> JsonObject:
        """The reply to GET /threads/{id}."""
        return self._threads[thread_id]

    def create_message(self, thread_id: str, body: JsonObject) -> JsonObject:
        """The reply to POST /threads/{id}/messages."""
        text = message_text(body["content"])
        return self._messages[thread_id].add(_message(thread_id, body["role"], text))

    def messages(self, thread_id: str, query: dict[str, str]) -> JsonObject:
        """The reply to GET /threads/{id}/messages."""
        return self._messages[self._threads[thread_id]["id"]].page(query)

    def create_run(self, thread_id: str, body: JsonObject, counter: Iterator[int]) -> Reply:
        """The reply to POST /threads/{id}/runs; the run is over at once."""
        thread = self._threads[thread_id]
        assistant = self._assistants[body["assistant_id"]]
        prompt = self._messages[thread["id"]].newest()["content"][0]["text"]["value"]
        text = answer(Question(prompt), counter).text
        run = self._runs.add(_run(thread_id, assistant, prompt, text))
        message = _message(thread_id, "assistant", text, run)
        self._messages[thread_id].add(message)
        return _stream(run, message) if body.get("stream") else json_reply(_queued(run))

    def create_thread_and_run(self, body: JsonObject, counter: Iterator[int]) -> Reply:
        """The reply to POST /threads/runs."""
        thread = self.create_thread(body.get("thread") or {})
        return self.create_run(thread["id"], body, counter)

    def run(self, run_id: str) -> JsonObject:
        """The reply to GET /threads/{id}/runs/{run_id}."""
        return self._runs[run_id]


def _message(thread_id: str, role: str, text: str, run: JsonObject | None = None) -> JsonObject:
    return {
        "id": random_id("msg_"),
        "object": "thread.message",
        "created_at": now(),
        "assistant_id": run and run["assistant_id"],
        "thread_id": thread_id,
        "run_id": run and run["id"],
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": now(),
        "role": role,
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
        "attachments": [],
        "metadata": {},
    }


def _run(thread_id: str, assistant: JsonObject, prompt: str, text: str) -> JsonObject:
    read, written = len(tokens(prompt)), len(tokens(text))
    return {
        "id": random_id("run_"),
        "object": "thread.run",
        "created_at": now(),
        "assistant_id": assistant["id"],
        "thread_id": thread_id,
        "status": "completed",
        "started_at": now(),
        "expires_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": now(),
        "required_action": None,
        "last_error": None,
        "model": assistant["model"],
        "instructions": assistant["instructions"] or "",
        "tools": assistant["tools"],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "incomplete_details": None,
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_token_details": {"cached_tokens": 0},
        },
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }


def _queued(run: JsonObject) -> JsonObject:
    later = {"started_at": None, "completed_at": None, "usage": None}
    return {**run, "status": "queued", "expires_at": run["created_at"] + 600, **later}


def _stream(run: JsonObject, message: JsonObject) -> Reply:
    done = b"event: done\ndata: [DONE]\n\n"
    return stream_reply([*(frame(value, event) for event, value in _events(run, message)), done])


def _events(run: JsonObject, message: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    queued = _queued(run)
    running = {**queued, "status": "in_progress", "started_at": run["started_at"]}
    yield "thread.run.created", queued
    yield "thread.run.queued", queued
    yield "thread.run.in_progress", running
    step = _step(run, message)
    begun_step = {**step, "status": "in_progress", "completed_at": None, "usage": None}
    yield "thread.run.step.created", begun_step
    yield "thread.run.step.in_progress", begun_step
    yield from _message_events(message)
    yield "thread.run.step.completed", step
    yield "thread.run.completed", run


def _message_events(message: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    begun = {**message, "status": "in_progress", "content": [], "completed_at": None}
    yield "thread.message.created", begun
    yield "thread.message.in_progress", begun
    for position, token in enumerate(tokens(message["content"][0]["text"]["value"])):
        text = {"value": token} if position else {"value": token, "annotations": []}
        content = [{"index": 0, "type": "text", "text": text}]
        delta = {
            "id": message["id"],
            "object": "thread.message.delta",
            "delta": {"content": content},
        }
        yield "thread.message.delta", delta
    yield "thread.message.completed", message


def _step(run: JsonObject, message: JsonObject) -> JsonObject:
    return {
        "id": random_id("step_"),
        "object": "thread.run.step",
        "created_at": run["created_at"],
        "run_id": run["id"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "type": "message_creation",
        "status": "completed",
        "cancelled_at": None,
        "completed_at": run["completed_at"],
        "expires_at": run["created_at"] + 600,
        "failed_at": None,
        "last_error": None,
        "step_details": {
            "type": "message_creation",
            "message_creation": {"message_id": message["id"]},
        },
        "usage": run["usage"],
    }
