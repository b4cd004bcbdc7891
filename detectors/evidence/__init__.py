"""What speaks for a campaign: one file per family, each with a statistic, larger is more suspicious, and a sentence.

No single family decides. Each statistic is turned into nats by its rank among honest groups of the same size
(`reference`), each family's nats are capped, and their sum is ranked in the same way (`fusion`).
"""

from detectors.evidence import (
    capability,
    cohort,
    elicitation,
    evenness,
    links,
    outlierness,
    rhythm,
    templates,
    volume,
)

FAMILIES = (outlierness, evenness, templates, capability, elicitation, links, cohort, rhythm, volume)

__all__ = ["FAMILIES"]
