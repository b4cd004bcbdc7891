"""What speaks for a campaign: one file per family, each with a statistic, larger is more suspicious, and a sentence.

No single family decides. Each statistic is turned into nats by its rank among honest groups (`reference`); where it
falls short of what load-balanced extraction has to look like, it speaks against (`expected`). The sum is ranked among
honest groups in its turn (`fusion`).
"""

from detectors.evidence import (
    arbitrage,
    capability,
    cleaning,
    cohort,
    distribution,
    elicitation,
    evenness,
    failover,
    links,
    mass,
    onset,
    outlierness,
    pivot,
    place,
    relay,
    repetition,
    replay,
    rhythm,
    routing,
    sanitised,
    shared_prompts,
    subscription,
    sweep,
    synchrony,
    templates,
    verification,
    volume,
)

FAMILIES = (
    outlierness,
    evenness,
    templates,
    capability,
    elicitation,
    links,
    cohort,
    rhythm,
    volume,
    shared_prompts,
    replay,
    synchrony,
    repetition,
    verification,
    mass,
    distribution,
    place,
    relay,
    sweep,
    arbitrage,
    pivot,
    failover,
    onset,
    subscription,
    cleaning,
    routing,
    sanitised,
)

__all__ = ["FAMILIES"]
