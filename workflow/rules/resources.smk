# What the heavy rules ask a scheduler for: estimated from the study (docs/cluster.md), and more at each new attempt.
from freeze_or_tune.estimates import RULES


def memory(rule_name):
    return lambda wildcards, attempt: attempt * RULES[rule_name](study, **wildcards).memory_mb


def minutes(rule_name):
    return lambda wildcards, attempt: attempt * RULES[rule_name](study, **wildcards).minutes
