"""What the rows of a transcript hold and where they stand, from messages and events. No Qt in here."""
