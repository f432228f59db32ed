"""Recordings as conversations: every provider's payloads say the same in the same words."""
