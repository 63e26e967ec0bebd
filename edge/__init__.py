"""A station: turns what scanners send into lines that are never lost."""
