"""What `make` runs beside the tools themselves; nothing here is installed with vcr-llm."""
