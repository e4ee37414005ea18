"""Use cases: what one reader may see and do, within scope and with a receipt. Pages and API call the same ones."""
