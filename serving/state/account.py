"""Accounts, their sessions, tokens and saved views, what limits guessing at the door; names behind officials' keys,
which stay out of the record, the features, the models and the logs.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Account(Base):
    """Somebody who may log in: one role and one place in the tree of units.

    `unit_code` is the root of what the account sees; `*` is the whole tree. `official_id` ties an official's
    account to the opaque key of the record. An account has a password hash (local), an issuer and subject
    (OpenID Connect) or both. `temporary_until`: the password was given by somebody else; it opens nothing but the form
    for a new one, and from this moment on not even that. None: the password is the person's own.
    `language`: in which pages speak.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_account_oidc"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    unit_code: Mapped[str] = mapped_column(String(120))
    official_id: Mapped[str | None] = mapped_column(String(200), index=True)
    password_hash: Mapped[str | None] = mapped_column(String(300))
    temporary_until: Mapped[datetime | None]
    oidc_issuer: Mapped[str | None] = mapped_column(String(300))
    oidc_subject: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(2), default="vi", server_default="vi")
    created_at: Mapped[datetime]


class LoginSession(Base):
    """One browser's stay: stored here, so that ending it on the server ends it. Only the token's hash is stored."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A key for a program: never more than its owner may do, narrowed to some actions, with an end date."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    actions: Mapped[str] = mapped_column(Text)  # actions of `serving.access.permissions`, separated by spaces
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class LoginFailure(Base):
    """One refused login. Names are stored as keyed digests: people type passwords into the name field."""

    __tablename__ = "login_failure"
    __table_args__ = (Index("ix_login_failure_login_key_at", "login_key", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login_key: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime]


class LoginFlow(Base):
    """One OpenID Connect login under way: what the provider must send back, once, to the same browser."""

    __tablename__ = "login_flow"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    next_path: Mapped[str] = mapped_column(String(500))
    expires_at: Mapped[datetime]


class SavedView(Base):
    """The query of one page under a name; saving under the same name again replaces it."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "page", "name", name="uq_saved_view_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    page: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(String(1000))
    saved_at: Mapped[datetime]


class OfficialName(Base):
    """An official's display name, shown only to those whose rights reach the official's unit."""

    __tablename__ = "official_name"

    official_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    name: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime]
