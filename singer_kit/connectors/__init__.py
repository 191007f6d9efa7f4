"""The batteries, written only against the public front door: they are the living examples.

A connector must not import a floor; what it needs and the front door lacks is a fault of the front door.
"""
