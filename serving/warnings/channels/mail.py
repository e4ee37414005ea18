"""Mail by SMTP. The message's key is its Message-ID, so that mail servers and readers drop a repetition."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from serving.settings import Settings
from serving.state import OutboxMessage
from serving.warnings.channels import Undelivered
from serving.warnings.rules import MailServer, WarningRules

TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Mail:
    """Hands messages to one mail server. password: of `server.user`; empty where none is wanted."""

    server: MailServer
    password: str = ""

    def __call__(self, message: OutboxMessage) -> None:
        """Sends one message; `Undelivered` with the server's answer code."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.server.sender
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.created_at)
        mail["Message-ID"] = f"<{message.key}@{self.server.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
        mail.set_content(message.body)
        try:
            with smtplib.SMTP(self.server.host, self.server.port, timeout=TIMEOUT) as server:
                if self.server.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.server.user:
                    server.login(self.server.user, self.password)
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"the mail server answered {error.smtp_code}") from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({str(code) for code, _ in error.recipients.values()})
            raise Undelivered(f"the mail server refused the recipient: {', '.join(codes)}") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(f"mail: {type(error).__name__}") from error


def open_channel(settings: Settings, rules: WarningRules, now: datetime) -> Mail | None:
    """The channel; None without a mail server in the rules."""
    return None if rules.mail is None else Mail(rules.mail, settings.smtp_password)
