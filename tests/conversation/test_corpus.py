"""The recordings of public projects, as conversations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vcr_llm._conversation import Conversation, Data, conversation_of, to_json
from vcr_llm._json import MAX_DOCUMENT_DEPTH, parse
from vcr_llm.cli import main

SHARED = Path(__file__).parents[3] / "shared"
SEED = SHARED / "seed" / "fcf8b46b3df5c6bf9f47c2506a3ab8aeea95e27f8d517e4983b2e901f8f394ad.json"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared is not there"),
]

# Endpoints that answer conversations, and those whose answers are told in a line.
_CHATS = (
    "/chat/completions",
    "/responses",
    "/messages",
    "/converse",
    "/converse-stream",
    "/chat",
    ":generateContent",
    ":streamGenerateContent",
)
_LISTINGS = (
    "/embeddings",
    "/rerank",
    "/embed",
    ":batchEmbedContents",
    "/count_tokens",
    ":countTokens",
    "/api/ps",
)


def _conversations(root: Path) -> Iterator[tuple[Path, Conversation]]:
    for path in sorted(root.rglob("*.json")):
        if path.name != "metadata.json":
            document: Any = parse(path.read_text(encoding="utf-8"), max_depth=MAX_DOCUMENT_DEPTH)
            yield path, conversation_of(document)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Conversation]]:
    """Every recording of the corpus, converted."""
    root = tmp_path_factory.mktemp("corpus")
    assert main(["convert", str(SHARED / "corpus"), str(root)]) == 0
    return list(_conversations(root))


def test_every_chat_is_read(corpus: list[tuple[Path, Conversation]]) -> None:
    """What was asked and what was answered is told, or what went wrong."""
    chats = [
        (path, found)
        for path, found in corpus
        if found.method == "POST" and found.endpoint.endswith(_CHATS)
    ]
    assert len(chats) > 1900
    unread = [
        path
        for path, found in chats
        if not found.messages
        or not (
            found.failure or any(answer.parts or answer.finish_reason for answer in found.answers)
        )
    ]
    # A server that answers {"message": "Success"}, a request that a proxy's test made of nothing.
    assert len(unread) <= 5, unread
    plain = [path for path, found in chats if found.dialect == "http" and not found.failure]
    assert len(plain) <= 10, plain


def test_nothing_of_a_chat_is_left_unread(corpus: list[tuple[Path, Conversation]]) -> None:
    """Parts that no reader knows are rare."""
    chats = [found for _path, found in corpus if found.endpoint.endswith(_CHATS)]
    asked = [part for found in chats for message in found.messages for part in message.parts]
    answered = [part for found in chats for answer in found.answers for part in answer.parts]
    kinds = Counter(type(part).__name__ for part in asked + answered)
    assert kinds["Data"] < kinds["Text"] / 50


def test_what_is_no_chat_is_told_in_a_line(corpus: list[tuple[Path, Conversation]]) -> None:
    """Embeddings, ranks, counts and listings."""
    listings = [
        found
        for _path, found in corpus
        if found.endpoint.endswith(_LISTINGS) and found.status == 200
    ]
    assert len(listings) > 80
    shown = [
        found
        for found in listings
        for answer in found.answers
        if any(isinstance(part, Data) for part in answer.parts)
    ]
    assert shown == []


def test_tokens_are_found(corpus: list[tuple[Path, Conversation]]) -> None:
    """Wherever a payload names them."""
    answered = [
        found
        for _path, found in corpus
        if found.status == 200 and found.endpoint.endswith(_CHATS) and not found.failure
    ]
    without = [found for found in answered if found.usage is None]
    assert len(without) < len(answered) / 10


def test_all_of_it_is_json(corpus: list[tuple[Path, Conversation]]) -> None:
    """Programs can read every conversation."""
    for path, found in corpus:
        assert json.loads(json.dumps(to_json(found), allow_nan=False))["url"] == found.url, path


def test_the_seed() -> None:
    """The recording from which this project starts."""
    document: Any = parse(SEED.read_text(encoding="utf-8"))
    found = conversation_of(document)
    assert (found.dialect, found.model) == ("openai.chat", document["request"]["model"])
    assert found.messages
    assert found.answers[0].parts
    assert found.answers[0].finish_reason
