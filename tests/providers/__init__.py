"""Every provider, recorded and replayed through its own newest SDK."""
