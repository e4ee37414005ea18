"""One form for what is written in many: codes, names of people and offices, text in encodings from before Unicode."""
