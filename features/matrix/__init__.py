"""The matrix: feature declarations by grain, and the engines that fill the cells."""
