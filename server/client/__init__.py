"""What reads a server over HTTP, from anywhere: ``scantrail``."""
