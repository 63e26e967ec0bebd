"""The contract's own scenarios: what stations told, in which order, and what is so."""

from pathlib import Path

SCENARIOS = sorted(Path(__file__).parent.glob("*.json"))
