"""Servers on loopback that the tests and the demo run against, in the standard library alone."""
