"""Early warnings: a dossier that is likely to miss its promise is brought before its holder's head in time."""
