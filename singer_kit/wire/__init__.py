"""Bytes to events and back: Singer lines, and the files of BATCH messages.

This room must not decide what is read or written, nor keep state beyond one message.
"""
