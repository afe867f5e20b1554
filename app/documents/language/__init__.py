"""Words of natural languages: terms for the index, stems, and words that nobody searches for. Pure."""
