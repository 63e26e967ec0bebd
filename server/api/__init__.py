"""Handlers: decode, call, encode."""
