"""Working time, holidays and promised moments under a calendar."""
