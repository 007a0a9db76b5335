"""Measuring and showing the whole program from outside, as an editor or a user has it."""
