"""What Singer *is*: frozen values and total functions.

This room must not do I/O, look at a clock, write a log or start a thread.
"""
