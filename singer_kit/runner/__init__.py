"""Pipes connectors and keeps their state between runs.

This room must not look into the data: tap and target share an operating system's pipe, and nothing of ours reads it.
"""
