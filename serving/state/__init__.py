"""Working state: what people enter and what must be remembered about it; tables by noun, one module each."""

from serving.state.account import Account, ApiToken, LoginFailure, LoginFlow, LoginSession, OfficialName, SavedView
from serving.state.answer import (
    Apology,
    CaseAssignment,
    Contest,
    Decision,
    ExplanationAct,
    ExplanationSlip,
    Mark,
    Submission,
    TeamLead,
)
from serving.state.base import Base, Moment
from serving.state.engine import State
from serving.state.finding import Finding, FindingPhoto, Remediation, RemediationAct
from serving.state.job_run import JobRun
from serving.state.migrate import NewerDatabase, downgrade, head, open_state, revision_of, upgrade
from serving.state.receipt import Receipt, ReceiptSubject, ReceiptTail
from serving.state.report import PublicationPack, ReportMade, ReportText
from serving.state.warning import (
    EarlyWarning,
    OutboxMessage,
    WarningEscalation,
    WarningRuleSet,
    WarningScoring,
    WarningStreak,
)

__all__ = [
    "Account", "ApiToken", "Apology", "Base", "CaseAssignment", "Contest", "Decision", "EarlyWarning", "ExplanationAct",
    "ExplanationSlip", "Finding", "FindingPhoto", "JobRun", "LoginFailure", "LoginFlow", "LoginSession", "Mark",
    "Moment", "NewerDatabase", "OfficialName", "OutboxMessage", "PublicationPack", "Receipt", "ReceiptSubject",
    "ReceiptTail", "Remediation", "RemediationAct", "ReportMade", "ReportText", "SavedView", "State", "Submission",
    "TeamLead", "WarningEscalation", "WarningRuleSet", "WarningScoring", "WarningStreak", "downgrade", "head",
    "open_state", "revision_of", "upgrade",
]  # fmt: skip
