"""The documentation says what is true: its examples run, and what the code says is in it."""
