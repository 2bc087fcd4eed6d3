"""What the owner has set, as the policy and the escalation want it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, Final

from .escalation import Plan
from .kinds import AlertKind, Severity
from .rules import DEFAULT_RULES, Hours, Rule, Rules, When
from .silence import Care

CONF_KIND: Final = "kind"
CONF_KINDS: Final = "kinds"
CONF_SEVERITY: Final = "severity"
CONF_WHEN: Final = "when"
CONF_COOLDOWN: Final = "cooldown"
CONF_LEAST_CONFIDENCE: Final = "least_confidence"
CONF_ROOMS: Final = "rooms"
CONF_NIGHT_START: Final = "night_start"
CONF_NIGHT_END: Final = "night_end"
CONF_QUIET_START: Final = "quiet_start"
CONF_QUIET_END: Final = "quiet_end"
CONF_INTERVAL: Final = "interval"
CONF_PATIENCE: Final = "patience"
CONF_MOST: Final = "most"
CONF_SILENCE_AFTER: Final = "silence_after"
CONF_SILENCE_SEVERITY: Final = "silence_severity"


def rules_of(options: Mapping[str, Any]) -> Rules:
    """Return the rules that the options make of the defaults."""
    kinds = {
        kind: _rule(options.get(CONF_KINDS, {}).get(kind, {}), default)
        for kind, default in DEFAULT_RULES.items()
    }
    default = Rules()
    return Rules(
        kinds=kinds,
        night=_hours(options, CONF_NIGHT_START, CONF_NIGHT_END, default.night),
        quiet=_hours(options, CONF_QUIET_START, CONF_QUIET_END, default.quiet),
    )


def plan_of(options: Mapping[str, Any]) -> Plan:
    """Return how to repeat what nobody answers."""
    plan = Plan()
    interval = options.get(CONF_INTERVAL, plan.interval.total_seconds())
    return Plan(
        interval=timedelta(seconds=interval),
        patience=int(options.get(CONF_PATIENCE, plan.patience)),
        most=int(options.get(CONF_MOST, plan.most)),
    )


def care_of(options: Mapping[str, Any]) -> Care:
    """Return how to tell of silence."""
    care = Care()
    return Care(
        patience=timedelta(minutes=options.get(CONF_SILENCE_AFTER, care.patience.total_seconds() / 60)),
        severity=Severity(options.get(CONF_SILENCE_SEVERITY, care.severity)),
    )


def options_of_rule(kind: AlertKind, rule: Rule | None = None) -> dict[str, Any]:
    """Return a rule, or the default one, as it is stored and shown."""
    rule = rule or DEFAULT_RULES[kind]
    return {
        CONF_SEVERITY: rule.severity.value,
        CONF_WHEN: rule.when.value,
        CONF_COOLDOWN: int(rule.cooldown.total_seconds()),
        CONF_LEAST_CONFIDENCE: round(rule.least_confidence * 100),
        CONF_ROOMS: rule.rooms,
    }


def options_of_times(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hours, the plan and the care as they are stored and shown."""
    rules, plan, care = rules_of(options), plan_of(options), care_of(options)
    return {
        CONF_INTERVAL: int(plan.interval.total_seconds()),
        CONF_PATIENCE: plan.patience,
        CONF_MOST: plan.most,
        CONF_NIGHT_START: rules.night.start.isoformat(),
        CONF_NIGHT_END: rules.night.end.isoformat(),
        CONF_QUIET_START: rules.quiet.start.isoformat(),
        CONF_QUIET_END: rules.quiet.end.isoformat(),
        CONF_SILENCE_AFTER: int(care.patience.total_seconds() / 60),
        CONF_SILENCE_SEVERITY: care.severity.value,
    }


def _rule(options: Mapping[str, Any], default: Rule) -> Rule:
    if not options:
        return default
    return replace(
        default,
        severity=Severity(options[CONF_SEVERITY]),
        when=When(options[CONF_WHEN]),
        cooldown=timedelta(seconds=options[CONF_COOLDOWN]),
        least_confidence=options[CONF_LEAST_CONFIDENCE] / 100,
        rooms=int(options[CONF_ROOMS]),
    )


def _hours(options: Mapping[str, Any], start: str, end: str, default: Hours) -> Hours:
    return Hours(
        start=time.fromisoformat(options.get(start, default.start.isoformat())),
        end=time.fromisoformat(options.get(end, default.end.isoformat())),
    )
