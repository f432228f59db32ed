"""What `make bench` measures, and whom it measures."""
