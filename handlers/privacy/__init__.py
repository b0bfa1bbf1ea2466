"""The personal data gate: hide what should not have been sent before anything is stored, logged or matched.

    view ─► documents · contacts · birth · codes · passwords ─► gate: mask(text), told(hidden)

Each finder reads one view of the text and names places; only the gate settles which of them win.
"""

from handlers.privacy.found import Hidden, Kind
from handlers.privacy.gate import Masked, mask, told

__all__ = ["Hidden", "Kind", "Masked", "mask", "told"]
