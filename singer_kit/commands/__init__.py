"""The `singer-kit` program: one module per command, loaded when the command is called.

It may import everything and is imported by nothing.
"""
