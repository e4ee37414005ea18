"""What people do: decisions, contests, findings, explanations, apologies, remedies; each with its receipt."""
