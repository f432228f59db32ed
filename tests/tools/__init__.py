"""Tools whose calls are recorded."""
