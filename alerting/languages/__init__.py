"""The fixed texts of messages, a module for each language; `alerting.catalogue` reads them.

A text stands in ``READ`` once a native speaker has read it, in ``DRAFT`` until then: understandable, not yet checked.
Whoever reads one moves its line. ``{ref}`` and the like stay as they are; the words around them may move.
"""
