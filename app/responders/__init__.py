"""What answers a conversation. Each kind of responder is a package; ``local`` is a model on this machine."""
