"""Accounts: who somebody is. What they may do stands in `serving.rights`."""
