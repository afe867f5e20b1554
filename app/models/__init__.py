"""Which models there are: those that came with the program, and files that a person names.

Owns nothing but looks at folders; no thread of its own. Imported by `app.services` and the command line through it.
"""
