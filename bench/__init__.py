"""The speed of Scantrail, as ratios against limits that are measured in the same run."""
