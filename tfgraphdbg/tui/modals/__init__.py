"""Screens that lie over another one until they are closed."""
