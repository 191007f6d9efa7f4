"""The author's base classes of a tap, and the loop from partitions to pages to messages.

Must not know targets, and does nothing per record that could be done per page.
"""
