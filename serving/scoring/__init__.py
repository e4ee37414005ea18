"""Scores: of all open dossiers, of one posted dossier, and the lists on disk that hold them."""
