"""Downloads from their first question to the file in the library, each on a thread of its own."""
