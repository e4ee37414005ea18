"""What an office owes after a delay: an explanation, an apology, an answer to consultations and complaints."""
