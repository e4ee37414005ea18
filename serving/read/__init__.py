"""What pages, API, command line and reports read: names, case files, on-time figures, ledgers."""
