"""What `make fuzz` feeds to the library, and what must then be true."""
