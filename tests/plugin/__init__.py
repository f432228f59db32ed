"""Tests of the pytest plugin: each makes a small project, runs pytest in it and looks at it."""
