"""Reports that the directives ask for: every figure stands on its rows, and a past month can be made again."""
