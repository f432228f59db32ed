"""Streams that stream: while they are recorded, when they are replayed, however they end."""
