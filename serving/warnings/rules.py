"""How an installation warns: policy, working hours, servers and addresses, from one TOML file.

base_url = "https://rui-ro.tinh.gov.vn"   # where links in messages lead
hours = "07:30-11:30,13:00-17:00"         # messages go out in these hours of working days alone
show_dossier = false                      # dossier codes in messages (links alone are the default)
[policy]                                  # fields of `policy.Policy`; [policy.costs] those of `policy.Costs`
[mail]                                    # host, port, sender, starttls, user; the password is RISK_SMTP_PASSWORD
[webhook]                                 # allow_private = true lets it reach addresses inside the network
[addresses.H99-13]                        # by unit_code of the head
mail = ["motcua@xa.gov.vn"]               # an office's mailbox, not a person's
webhook = ["https://…"]
chat = ["mmost://…"]                      # Apprise URLs; they hold secrets: chmod 600
[inspectors.H99]                          # the same for those who inspect this unit and all below it ("*": every unit):
mail = ["thanhtra@tinh.gov.vn"]           # what newly stands out in the lists of conduct, never told to heads
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from features.calendar.vietnam import VIETNAM, hours_of, office
from features.calendar.working_time import Calendar
from serving.warnings.channels import CHANNELS
from serving.warnings.policy import Costs, Policy


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over. starttls: refuse to send without encryption."""

    host: str
    port: int = 587
    sender: str = "canh-bao@localhost"
    starttls: bool = True
    user: str = ""


@dataclass(frozen=True)
class WarningRules:
    """Policy, hours, servers and addresses, of heads and of inspectors: unit_code → channel → addresses."""

    policy: Policy = field(default_factory=Policy)
    calendar: Calendar = VIETNAM
    base_url: str = ""
    show_dossier: bool = False
    mail: MailServer | None = None
    allow_private: bool = False
    addresses: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    inspectors: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, path: Path) -> "WarningRules":
        """The rules of a file, the defaults where there is none. ValueError names what is wrong in it;
        PermissionError where others may read the secrets in it."""
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls()
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name} is not TOML: {error}") from error
        try:
            rules = cls._read(values)
        except TypeError as error:
            raise ValueError(f"{path.name}: {error}") from error
        secret = [name for name, kind in CHANNELS.items() if kind.secret]
        everywhere = (*rules.addresses.values(), *rules.inspectors.values())
        if any(of.get(name) for of in everywhere for name in secret) and path.stat().st_mode & 0o077:
            raise PermissionError(f"{path.name} holds addresses with secrets: chmod 600 it")
        return rules

    @classmethod
    def _read(cls, values: dict[str, Any]) -> "WarningRules":
        allowed = {"base_url", "hours", "show_dossier", "policy", "mail", "webhook", "addresses", "inspectors"}
        _refuse_unknown("key", values, allowed)
        policy = dict(values.get("policy", {}))
        _refuse_unknown("policy", policy, {one.name for one in fields(Policy)})
        costs = policy.pop("costs", {})
        _refuse_unknown("policy.costs", costs, {one.name for one in fields(Costs)})
        mail = values.get("mail")
        _refuse_unknown("mail", mail or {}, {one.name for one in fields(MailServer)})
        webhook = values.get("webhook", {})
        _refuse_unknown("webhook", webhook, {"allow_private"})
        for whose in ("addresses", "inspectors"):
            for unit, of in values.get(whose, {}).items():
                _refuse_unknown(f"{whose}.{unit}", of, set(CHANNELS))
        hours = values.get("hours")
        return cls(
            policy=Policy(costs=Costs(**costs), **policy),
            calendar=office("messages", hours_of(hours)) if hours else VIETNAM,
            base_url=str(values.get("base_url", "")).rstrip("/"),
            show_dossier=bool(values.get("show_dossier", False)),
            mail=MailServer(**mail) if mail else None,
            allow_private=bool(webhook.get("allow_private", False)),
            addresses=_by_channel(values.get("addresses", {})),
            inspectors=_by_channel(values.get("inspectors", {})),
        )

    def reaches(self, unit_code: str, inspectors: bool = False) -> list[tuple[str, str]]:
        """(channel, address) of everywhere the head of a unit, or those who inspect it, are told, the page excepted.

        A channel whose section is missing is left out.
        """
        of = (self.inspectors if inspectors else self.addresses).get(unit_code, {})
        return [
            (channel, address)
            for channel, kind in CHANNELS.items()
            if not kind.needs or getattr(self, kind.needs) is not None
            for address in of.get(channel, ())
        ]


def _by_channel(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        unit: {channel: tuple(map(str, addresses)) for channel, addresses in of.items()} for unit, of in values.items()
    }  # fmt: skip


def _refuse_unknown(where: str, given: Mapping[str, Any], allowed: set[str]) -> None:
    if unknown := set(given) - allowed:
        raise ValueError(f"{where}: unknown {sorted(unknown)[0]!r}; known: {', '.join(sorted(allowed))}")
