"""`risk accounts`: the first administrator, further accounts, passwords, closing an account."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import asked, settings_of, state_of
from serving.cli.receipts import receipted
from serving.settings import Settings

if TYPE_CHECKING:
    pass

commands = typer.Typer()
accounts = typer.Typer(no_args_is_help=True)
commands.add_typer(accounts, name="accounts", help="Who may log in: add, close, new password, list.")

Login = Annotated[str, typer.Argument(help="Login name: a–z, 0–9, . _ @ -")]
Name = Annotated[str, typer.Option(help="Name as shown on pages.")]


@accounts.command("add-admin")
def add_admin(ctx: typer.Context, login: Login, name: Name = "") -> None:
    """Make an administrator.

    The password is asked for, or read from standard input; there is no default one.
    """
    _add(settings_of(ctx), login, name, "administrator", "*", None, asked("Password", twice=True), temporary=False)


@accounts.command()
def add(
    ctx: typer.Context,
    login: Login,
    role: Annotated[str, typer.Option(help="inspector, unit_head, official, analyst, leader, administrator.")],
    name: Name = "",
    unit: Annotated[str, typer.Option(help="unit_code of what the account sees with all below; * is all.")] = "*",
    official: Annotated[str | None, typer.Option(help="official_id, for an official's account.")] = None,
    oidc: Annotated[tuple[str, str] | None, typer.Option(help="Issuer and subject instead of a password.")] = None,
) -> None:
    """Make an account of any role; its password is asked for, or read from standard input; the person changes it."""
    chosen = None if oidc else asked("Password", twice=True)
    _add(settings_of(ctx), login, name, role, unit, official, chosen, oidc)


@accounts.command()
def password(ctx: typer.Context, login: Login) -> None:
    """Give an account a password to be changed at the next login, within seven days, and end its sessions."""
    from serving.access.account import TEMPORARY, find_account, set_password

    now = datetime.now(UTC)
    with receipted(settings_of(ctx), "account.write", {"password": login}, now=now) as session:
        account = find_account(session, login)
        if account is None:
            raise LookupError(f"no account {login}")
        set_password(session, account, asked("Password", twice=True), temporary_until=now + TEMPORARY)
    typer.echo(f"new password for {login}; its sessions are over")


@accounts.command()
def close(ctx: typer.Context, login: Login) -> None:
    """Close an account: no login, session or token of it works any more; its receipts stay."""
    from serving.access.account import deactivate, find_account

    now = datetime.now(UTC)
    with receipted(settings_of(ctx), "account.write", {"closed": login}, now=now) as session:
        account = find_account(session, login)
        if account is None:
            raise LookupError(f"no account {login}")
        deactivate(session, account, now=now)
    typer.echo(f"closed {login}")


@accounts.command("list")
def show(ctx: typer.Context) -> None:
    """All accounts: login, role, unit, open or closed."""
    from sqlalchemy import select

    from serving.state import Account

    with state_of(settings_of(ctx)) as state, state.reading() as session:
        for account in session.scalars(select(Account).order_by(Account.login)):
            standing = "open" if account.active else "closed"
            typer.echo(f"{account.login}\t{account.role}\t{account.unit_code}\t{standing}")


def _add(
    settings: Settings,
    login: str,
    name: str,
    role: str,
    unit: str,
    official: str | None,
    chosen: str | None,
    oidc: tuple[str, str] | None = None,
    temporary: bool = True,
) -> None:
    from serving.access.account import add_account
    from serving.access.permissions import Role

    if role not in list(Role):
        raise ValueError(f"wanted one of the roles {', '.join(Role)}, got {role}")
    now = datetime.now(UTC)
    with receipted(settings, "account.write", {"made": login, "role": role, "unit": unit}, now=now) as session:
        account = add_account(
            session,
            login,
            name,
            Role(role),
            now=now,
            unit_code=unit,
            official_id=official,
            password=chosen,
            temporary=temporary,
            oidc=oidc,
        )
    typer.echo(f"added {account.login} as {role}")
