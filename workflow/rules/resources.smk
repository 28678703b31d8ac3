# What the heavy rules ask a scheduler for: estimated from the study (docs/cluster.md), and more at each new attempt.
from functools import cache

from freeze_or_tune.planning.estimates import RULES


@cache
def estimate(rule_name, *wildcards):
    return RULES[rule_name](study, *wildcards)


def memory(rule_name):
    return lambda wildcards, attempt: attempt * estimate(rule_name, *wildcards).memory_mb


def minutes(rule_name):
    return lambda wildcards, attempt: attempt * estimate(rule_name, *wildcards).minutes


def grown(first):
    """Where nothing is known of the images, as of one's own: so much at first, and more at each new attempt."""
    return lambda wildcards, attempt: attempt * first


def all_here(wildcards):
    """Cores for what everything else waits for: all of this machine; a scheduler is asked for two."""
    return workflow.resource_settings.cores or 2 if workflow.local_exec else 2
