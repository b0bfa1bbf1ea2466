"""From a trouble to its cause: the tree and what leads into it."""
