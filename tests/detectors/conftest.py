"""Property tests: no deadlines, since the machine may be busy, and few enough examples to run at every change."""

from hypothesis import settings

settings.register_profile("detectors", deadline=None, max_examples=60)
settings.load_profile("detectors")
