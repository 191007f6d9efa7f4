"""The author's base classes and the loop messages -> batches -> commit -> state.

This room must not know any destination.
"""
