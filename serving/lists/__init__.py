"""Risk lists of a week: dossiers, officials, units, by team, with caps, a shown sector weight and a stable order."""
