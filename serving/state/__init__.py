"""Working state: what people enter and what must be remembered about it; tables by noun, one module each."""

from serving.state.account import Account, ApiToken, LoginFailure, LoginFlow, LoginSession
from serving.state.answer import Contest, Decision, Submission
from serving.state.base import Base, Moment
from serving.state.directory import OfficialName
from serving.state.engine import State
from serving.state.finding import Finding, Remediation, RemediationAct
from serving.state.migrate import downgrade, open_state, upgrade
from serving.state.receipt import Receipt, ReceiptSubject, ReceiptTail

__all__ = [
    "Account",
    "ApiToken",
    "Base",
    "Contest",
    "Decision",
    "Finding",
    "LoginFailure",
    "LoginFlow",
    "LoginSession",
    "Moment",
    "OfficialName",
    "Receipt",
    "ReceiptSubject",
    "ReceiptTail",
    "Remediation",
    "RemediationAct",
    "State",
    "Submission",
    "downgrade",
    "open_state",
    "upgrade",
]
