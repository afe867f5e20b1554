"""From a question to passages: by words, by meaning, and a second look at what both found. Any thread."""
