"""The event store: keeps every line for ever, and answers where each item is."""
