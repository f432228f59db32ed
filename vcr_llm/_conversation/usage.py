"""What was used: the tokens that a provider counts, whatever it calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vcr_llm._conversation.members import at, mapping, mappings, whole
from vcr_llm._conversation.values import Usage
from vcr_llm._json import JSON

Path = tuple[str, ...]


class _Words(NamedTuple):
    """How providers call a count: members of one object, of which the first that is there counts.

    What stands in ``beside`` is counted apart by the provider, and is part of the count here.
    """

    names: tuple[Path, ...]
    beside: tuple[Path, ...] = ()


_INPUT = _Words(
    (
        ("prompt_tokens",),  # OpenAI and what is compatible with it
        ("promptTokenCount",),  # Gemini
        ("total_input_tokens",),  # Gemini's interactions
        ("prompt_eval_count",),  # Ollama
        ("inputTextTokenCount",),  # Titan
        ("prompt_token_count",),  # Llama on Bedrock
        ("input_token_count",),  # watsonx
        ("num_tokens_prompt_total",),  # Aleph Alpha
    ),
    beside=(("toolUsePromptTokenCount",), ("total_tool_use_tokens",)),
)
# https://platform.claude.com/docs/en/build-with-claude/prompt-caching: "total input tokens in a
# request is the summation of input_tokens, cache_creation_input_tokens, and
# cache_read_input_tokens"; Converse counts the same way. Others name neither of the two.
_INPUT_BESIDE_CACHE = _Words(
    (("input_tokens",), ("inputTokens",), ("inputTokenCount",)),
    beside=(
        ("cache_read_input_tokens",),
        ("cacheReadInputTokens",),
        ("cacheReadInputTokenCount",),
        ("cache_creation_input_tokens",),
        ("cacheWriteInputTokens",),
        ("cacheWriteInputTokenCount",),
    ),
)
# https://ai.google.dev/api/generate-content#UsageMetadata: thoughts are counted apart.
_OUTPUT = _Words(
    (
        ("completion_tokens",),
        ("output_tokens",),
        ("outputTokens",),
        ("candidatesTokenCount",),
        ("total_output_tokens",),
        ("eval_count",),
        ("outputTokenCount",),
        ("totalOutputTextTokenCount",),
        ("generation_token_count",),
        ("generated_token_count",),
        ("num_tokens_generated",),
    ),
    beside=(("thoughtsTokenCount",), ("total_thought_tokens",)),
)
_TOTAL = _Words((("total_tokens",), ("totalTokens",), ("totalTokenCount",)))
_CACHED = _Words(
    (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("cache_read_input_tokens",),
        ("cacheReadInputTokens",),
        ("cacheReadInputTokenCount",),
        ("cachedContentTokenCount",),
        ("total_cached_tokens",),
        ("prompt_cache_hit_tokens",),  # DeepSeek
        ("num_cached_tokens",),  # Mistral
        ("cached_tokens",),  # Moonshot
    )
)
_CACHE_WRITTEN = _Words(
    (
        ("cache_creation_input_tokens",),
        ("cacheWriteInputTokens",),
        ("cacheWriteInputTokenCount",),
        ("prompt_tokens_details", "cache_write_tokens"),  # OpenRouter
    )
)
_REASONING = _Words(
    (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "thinking_tokens"),  # Anthropic
        ("thoughtsTokenCount",),
        ("total_thought_tokens",),
    )
)
# Where in a payload the counts stand. The payload itself has those of Ollama, Titan and Llama.
_PLACES: tuple[Path, ...] = (
    ("usage",),
    ("usage", "tokens"),  # Cohere
    ("usageMetadata",),
    ("message", "usage"),  # Anthropic's message_start
    ("delta", "usage", "tokens"),  # Cohere's message-end
    ("response", "usage"),  # the events of OpenAI's Responses
    ("meta", "tokens"),
    ("response", "meta", "tokens"),
    ("interaction", "usage"),
    ("x_groq", "usage"),
    ("metadata", "usage"),  # a stream of Nova's
    ("amazon-bedrock-invocationMetrics",),
)
_BILLED: tuple[Path, ...] = (
    ("usage", "billed_units"),
    ("delta", "usage", "billed_units"),
    ("meta", "billed_units"),
    ("response", "meta", "billed_units"),
)
_OWN_WORDS = (
    "prompt_eval_count",
    "eval_count",
    "inputTextTokenCount",
    "prompt_token_count",
    "generation_token_count",
    "num_tokens_prompt_total",
)


def usage_of(payloads: Iterable[dict[str, JSON]]) -> Usage | None:
    """The tokens of an answer: the highest counts that its payloads name, as they count upwards."""
    merged: Usage | None = None
    for counts in _counts_in(payloads):
        usage = read_counts(counts)
        merged = usage if merged is None else _highest(merged, usage)
    return merged if merged != Usage() else None


def read_counts(counts: dict[str, JSON]) -> Usage:
    """The tokens that an object counts."""
    beside = _count(counts, _INPUT_BESIDE_CACHE)
    plain = _count(counts, _INPUT)
    return Usage(
        input=beside if plain is None else plain,
        output=_count(counts, _OUTPUT),
        total=_count(counts, _TOTAL),
        cached=_count(counts, _CACHED),
        cache_written=_count(counts, _CACHE_WRITTEN),
        reasoning=_count(counts, _REASONING),
    )


def _counts_in(payloads: Iterable[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    for payload in payloads:
        found = [held for place in _PLACES if (held := mapping(at(payload, *place)))]
        found = found or [held for place in _BILLED if (held := mapping(at(payload, *place)))]
        yield from found
        if any(name in payload for name in _OWN_WORDS):
            yield payload
        yield from _counts_of_results(payload)


def _counts_of_results(payload: dict[str, JSON]) -> Iterator[dict[str, JSON]]:
    """Counts that stand beside each result: those of watsonx and Titan."""
    for result in mappings(payload.get("results")):
        yield {
            "input_token_count": result.get("input_token_count"),
            "generated_token_count": result.get("generated_token_count", result.get("tokenCount")),
        }


def _count(counts: dict[str, JSON], words: _Words) -> int | None:
    named = _tokens(counts, words.names)
    beside = _tokens(counts, words.beside)
    return sum([*named[:1], *beside]) if named or beside else None


def _tokens(counts: dict[str, JSON], names: tuple[Path, ...]) -> list[int]:
    """The counts that are there; some servers write them as 12.0."""
    found = (at(counts, *path) for path in names)
    numbers = (
        int(value) if isinstance(value, float) and value.is_integer() else whole(value)
        for value in found
    )
    return [number for number in numbers if number is not None]


def _highest(one: Usage, other: Usage) -> Usage:
    return Usage(
        input=_higher(one.input, other.input),
        output=_higher(one.output, other.output),
        total=_higher(one.total, other.total),
        cached=_higher(one.cached, other.cached),
        cache_written=_higher(one.cache_written, other.cache_written),
        reasoning=_higher(one.reasoning, other.reasoning),
    )


def _higher(one: int | None, other: int | None) -> int | None:
    return max((count for count in (one, other) if count is not None), default=None)
