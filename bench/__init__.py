"""How fast Scantrail is, as ratios against limits measured in the same run."""
