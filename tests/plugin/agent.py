"""The code under test in the projects that these tests make: it is copied into each of them.

openai takes the server's address and a key from the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai

ANSWERS = Path("answers.log")


def ask(prompt: str = "count", **options: Any) -> str:
    """The model's answer, which is also written down for whoever runs the tests."""
    messages: Any = [{"role": "user", "content": prompt}]
    # Reading the certificates of the world, for a server on loopback, would take most of the time.
    http_client = openai.DefaultHttpxClient(verify=False, timeout=10)
    with openai.OpenAI(max_retries=0, http_client=http_client) as client:
        reply: Any = client.chat.completions.create(model="gpt-4o", messages=messages, **options)
    answer = str(reply.choices[0].message.content)
    with ANSWERS.open("a", encoding="utf-8") as log:
        log.write(f"{answer}\n")
    return answer
