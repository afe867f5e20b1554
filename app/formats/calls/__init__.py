"""Readers of call syntaxes, one a kind of wire; families say with data which they use and how it is spelt."""
