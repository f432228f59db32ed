"""The pages of `vcr-llm report` in a real browser."""
