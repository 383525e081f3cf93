"""Runs a notebook where it can do no harm. Imports nothing here: the guard starts in a moment."""
