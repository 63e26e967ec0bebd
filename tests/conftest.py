"""What holds for all tests.

No test depends on how fast the machine is, so that Hypothesis sets no deadlines.
"""

from hypothesis import settings

settings.register_profile("scantrail", deadline=None)
settings.load_profile("scantrail")
