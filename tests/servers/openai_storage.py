"""What the API keeps: files, batches, and the pages that list them.

https://platform.openai.com/docs/api-reference/files
"""

from __future__ import annotations

import json
from collections.abc import Callable

from .openai_wire import ApiError, JsonObject, Part, dump, now, random_id

_STATES = ("validating", "in_progress", "completed")


class Shelf:
    """Objects by id, listed in pages, the newest first."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._objects: dict[str, JsonObject] = {}

    def __getitem__(self, object_id: str) -> JsonObject:
        if object_id not in self._objects:
            raise ApiError(404, f"No such {self._noun} object: {object_id}", param="id")
        return self._objects[object_id]

    def add(self, value: JsonObject) -> JsonObject:
        """Keeps an object, in place of the one with its id, and gives it back."""
        self._objects[value["id"]] = value
        return value

    def remove(self, object_id: str) -> JsonObject:
        """Forgets an object, and says so as the API does."""
        deleted = {"object": self[object_id]["object"], "deleted": True, "id": object_id}
        del self._objects[object_id]
        return deleted

    def newest(self) -> JsonObject:
        """The object that was added last."""
        return next(reversed(self._objects.values()))

    def page(self, query: dict[str, str]) -> JsonObject:
        """The objects after the one called `after`, at most `limit` of them."""
        objects = list(self._objects.values())
        if query.get("order", "desc") == "desc":
            objects.reverse()
        if "after" in query:
            objects = objects[objects.index(self[query["after"]]) + 1 :]
        size = int(query.get("limit", 20))
        data = objects[:size]
        return {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(objects) > size,
        }


class Files:
    """The uploaded files."""

    def __init__(self) -> None:
        self.shelf = Shelf("File")
        self._contents: dict[str, bytes] = {}

    def create(self, form: dict[str, Part]) -> JsonObject:
        """The reply to POST /files."""
        upload = form["file"]
        return self.store(upload.filename, form["purpose"].body.decode(), upload.body)

    def store(self, filename: str, purpose: str, content: bytes) -> JsonObject:
        """Keeps a file, the user's or a batch's."""
        file = {
            "object": "file",
            "id": random_id("file-", 22),
            "purpose": purpose,
            "filename": filename,
            "bytes": len(content),
            "created_at": now(),
            "expires_at": None,
            "status": "processed",
            "status_details": None,
        }
        self._contents[str(file["id"])] = content
        return self.shelf.add(file)

    def content(self, file_id: str) -> bytes:
        """The reply to GET /files/{id}/content: the bytes as they were uploaded."""
        return self._contents[self.shelf[file_id]["id"]]


class Batches:
    """The batches, each a step further whenever somebody looks at it."""

    def __init__(self, files: Files, run: Callable[[str, JsonObject], JsonObject]) -> None:
        self.shelf = Shelf("Batch")
        self._files = files
        self._run = run

    def create(self, body: JsonObject) -> JsonObject:
        """The reply to POST /batches."""
        unset = ("output_file_id", "error_file_id", "in_progress_at", "finalizing_at")
        ends = ("completed_at", "failed_at", "expired_at", "cancelling_at", "cancelled_at")
        self._files.content(body["input_file_id"])
        batch = {
            "id": random_id("batch_", 32),
            "object": "batch",
            "endpoint": body["endpoint"],
            "model": None,
            "errors": None,
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": _STATES[0],
            **dict.fromkeys((*unset, *ends)),
            "created_at": now(),
            "expires_at": now() + 86_400,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": body.get("metadata"),
        }
        return self.shelf.add(batch)

    def retrieve(self, batch_id: str) -> JsonObject:
        """The reply to GET /batches/{id}: in progress at first, completed when asked again."""
        batch = self.shelf[batch_id]
        if batch["status"] == "validating":
            return self.shelf.add({**batch, "status": "in_progress", "in_progress_at": now()})
        if batch["status"] == "in_progress":
            return self.shelf.add(self._completed(batch))
        return batch

    def cancel(self, batch_id: str) -> JsonObject:
        """The reply to POST /batches/{id}/cancel."""
        cancelling = {"status": "cancelling", "cancelling_at": now()}
        return self.shelf.add({**self.shelf[batch_id], **cancelling})

    def _completed(self, batch: JsonObject) -> JsonObject:
        lines = self._files.content(batch["input_file_id"]).splitlines()
        results = [dump(self._result(json.loads(line))) + "\n" for line in lines]
        name = f"{batch['id']}_output.jsonl"
        output = self._files.store(name, "batch_output", "".join(results).encode())
        return {
            **batch,
            "status": "completed",
            "completed_at": now(),
            "output_file_id": output["id"],
            "request_counts": {"total": len(lines), "completed": len(lines), "failed": 0},
        }

    def _result(self, line: JsonObject) -> JsonObject:
        response = {
            "status_code": 200,
            "request_id": random_id("", 32),
            "body": self._run(line["url"], line["body"]),
        }
        return {
            "id": random_id("batch_req_"),
            "custom_id": line["custom_id"],
            "response": response,
            "error": None,
        }
