"""Formulas of an answer, from LaTeX to pictures. Drawn on a thread of its own; everything else on the UI thread.

ziamath draws a subset of LaTeX and passes over much of the rest in silence. So only what is known to be drawn rightly
is given to it, some of it said otherwise (``tex``); the source of anything else is shown as it was written.
"""
