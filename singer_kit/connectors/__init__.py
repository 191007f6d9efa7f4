"""The batteries: the living examples of what authors write, against the public front door.

A connector may take parts of the rooms below it (`sql`, `schema.columns`); each such import is something that the front
door still lacks. It must not import the runner or the commands.
"""
