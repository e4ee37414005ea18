"""The traps of domain.md 1.9, each planted by one function.

Every function takes (random numbers, dossiers, events, end of the history) and gives dossiers and events as
the sources will tell them, and a table dossier_id, trap. Traps of the portal's synchronisation touch only
dossiers whose `system` is dvcqg.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.case_state.kinds import SETTLED
from features.record.schema import ENDS

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
LOCAL = pd.Timedelta(hours=7)
CLOSING = "Kết thúc xử lý hồ sơ"


def _marked(ids: pd.Series | np.ndarray | pd.Index, trap: str) -> pd.DataFrame:
    return pd.DataFrame({"dossier_id": pd.Series(ids, dtype="str"), "trap": trap})


def _draw(rng: np.random.Generator, ids: pd.Index | np.ndarray, share: float) -> np.ndarray:
    """A share of these ids, at least one where there are any."""
    found = np.asarray(ids)
    return found[np.sort(rng.permutation(len(found))[: max(1, round(share * len(found)))])] if len(found) else found


def _closing(dossier: pd.DataFrame, ids: np.ndarray, at: pd.Series) -> pd.DataFrame:
    """The synthetic end event, by nobody."""
    rows = dossier.set_index("dossier_id").loc[ids]
    return pd.DataFrame({
        "dossier_id": ids, "kind": "decided", "happened_at": at.loc[ids].to_numpy(),
        "unit_code": rows.receiving_unit_code.to_numpy(), "step": CLOSING,
    }).astype({"happened_at": "datetime64[us, UTC]"})  # fmt: skip


def reset_overdue(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T1: a late dossier ends on paper at its due second; later steps stay, the signature does not."""
    already = event[event.official_id.isna() & (event.step == CLOSING)].dossier_id.unique()
    rows = dossier.set_index("dossier_id")
    plain = event.groupby("dossier_id").due_at.count() == 0
    signed = event[event.kind == "decided"].set_index("dossier_id").happened_at
    delivered = event[event.kind == "delivered"].set_index("dossier_id").happened_at
    late = signed[(signed > rows.due_at.loc[signed.index]) & plain.loc[signed.index]].index.intersection(
        delivered.index
    )
    late = late[(rows.system.loc[late] == "dvcqg").to_numpy()].difference(pd.Index(already))
    last = event[event.kind == "forwarded"].groupby("dossier_id").happened_at.max().reindex(late)
    able = late[(last > rows.due_at.loc[late]).to_numpy()]
    chosen = _draw(rng, able, 0.06)
    hit = event.dossier_id.isin(chosen)
    gone = hit & event.kind.isin(["decided", "apologised"])
    event = pd.concat([event[~gone], _closing(dossier, chosen, rows.due_at)], ignore_index=True)
    return dossier, event, _marked(np.concatenate([already, chosen]), "T1")


def masked_pause(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T2: a dossier that waits for papers is sent as finished, by an end event at the moment of receipt."""
    last = event.sort_values(["dossier_id", "happened_at"], kind="stable").groupby("dossier_id").kind.last()
    rows = dossier.set_index("dossier_id")
    portal = rows.index[rows.system == "dvcqg"]
    waiting = last[last == "papers_requested"].index.intersection(portal)
    asked = pd.Index(event[event.kind == "papers_requested"].dossier_id.unique()).intersection(portal)
    chosen = np.union1d(_draw(rng, waiting, 0.5), _draw(rng, asked, 0.03))
    event = pd.concat([event, _closing(dossier, chosen, rows.received_at)], ignore_index=True)
    dossier = dossier.assign(masked=dossier.dossier_id.isin(chosen))
    return dossier, event, _marked(chosen, "T2")


def placeholder_desk(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T3: in some offices a placeholder receives and hands out ("Cán bộ một cửa"): nobody's act."""
    rows = dossier.set_index("dossier_id")
    units = _draw(rng, np.sort(rows.unit_code.unique()), 0.35)
    desk = rows.unit_code.isin(units).loc[event.dossier_id].to_numpy() & event.kind.isin(["received", "delivered"])
    event = event.assign(official_id=event.official_id.mask(desk))
    return dossier, event, _marked(event[desk].dossier_id.unique(), "T3")


def promise_reset(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T8: shortly before a late dossier's promise passes it is set anew, without reason or apology."""
    already = event[event.kind == "reset"].dossier_id.unique()
    touched = event[event.due_at.notna() | (event.step == CLOSING)].dossier_id.unique()
    rows = dossier.set_index("dossier_id")
    signed = event[(event.kind == "decided") & ~event.dossier_id.isin(touched)]
    signed = signed.drop_duplicates("dossier_id").set_index("dossier_id")
    before = rows.due_at.loc[signed.index] - pd.Timedelta(minutes=30)
    able = signed.index[
        (signed.happened_at > rows.due_at.loc[signed.index])
        & (before > rows.received_at.loc[signed.index])
        & (rows.system.loc[signed.index] == "dvcqg")
    ]
    chosen = _draw(rng, able, 0.05)
    resets = pd.DataFrame({
        "dossier_id": chosen, "kind": "reset", "happened_at": before.loc[chosen].to_numpy(),
        "official_id": signed.official_id.loc[chosen].to_numpy(), "unit_code": signed.unit_code.loc[chosen].to_numpy(),
        "step": "Đặt lại hạn xử lý",
        "due_at": (signed.happened_at.loc[chosen] + pd.Timedelta(hours=1)).to_numpy(),
    }).astype({"happened_at": event.happened_at.dtype, "due_at": event.due_at.dtype})  # fmt: skip
    sorry = event.dossier_id.isin(chosen) & (event.kind == "apologised")
    event = pd.concat([event[~sorry], resets], ignore_index=True)
    return dossier, event, _marked(np.concatenate([already, chosen]), "T8")


def no_appointment(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T4: a dossier without a promise is closed at the moment of receipt."""
    touched = event[event.due_at.notna() | event.kind.isin(["extended", "reset", "apologised"])].dossier_id.unique()
    closed = event[event.step == CLOSING].dossier_id.unique()
    able = dossier[(dossier.system == "dvcqg") & ~dossier.dossier_id.isin([*touched, *closed])].dossier_id
    chosen = _draw(rng, able.to_numpy(), 0.004)
    gone = event.dossier_id.isin(chosen) & event.kind.isin(ENDS)
    received = dossier.set_index("dossier_id").received_at
    event = pd.concat([event[~gone], _closing(dossier, chosen, received)], ignore_index=True)
    due = dossier.due_at.mask(dossier.dossier_id.isin(chosen))
    return dossier.assign(due_at=due), event, _marked(chosen, "T4")


def moved_too_far(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T9: the promise moves by days more than the citizen took. Also says whose promise moves silently.

    Some offices send no supplement rows (domain.md 1.2): only the dossier's due date changes. Nothing is
    planted there, nor where a reset or an extension moves the promise as well.
    """
    rows = dossier.set_index("dossier_id")
    units = _draw(rng, np.sort(rows.unit_code.unique()), 0.25)
    moved = event[event.kind.isin(["reset", "extended"])].dossier_id.unique()
    silent = dossier.unit_code.isin(units) | dossier.dossier_id.isin(moved)
    dossier = dossier.assign(silent=silent & (dossier.system == "dvcqg"))
    supplied = event[(event.kind == "papers_supplied") & event.due_at.notna()].dossier_id.unique()
    able = dossier[dossier.dossier_id.isin(supplied) & ~silent & (dossier.system == "dvcqg")].dossier_id
    chosen = _draw(rng, able.to_numpy(), 0.06)
    days = pd.Series(rng.integers(7, 15, len(chosen)), index=chosen)
    hit = event.dossier_id.isin(chosen) & event.due_at.notna()
    shift = pd.to_timedelta(days.reindex(event[hit].dossier_id).to_numpy(), unit="D")
    event = event.copy()
    event.loc[hit, "due_at"] = event.loc[hit, "due_at"] + shift
    return dossier, event, _marked(chosen, "T9")


def reopened(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T12: a finished dossier goes back to work and is signed and handed out again."""
    done = event[event.kind.isin(SETTLED)].groupby("dossier_id").kind.nunique()
    untouched = ~event.dossier_id.isin(event[event.step == CLOSING].dossier_id)
    kinds = event[untouched & event.dossier_id.isin(done[done == 2].index)]
    last = kinds.groupby("dossier_id").happened_at.max()
    able = last[last < end - pd.Timedelta(days=20)].index
    chosen = _draw(rng, able, 0.006)
    old = event[event.dossier_id.isin(chosen)]
    parts = [event]
    back = last.loc[chosen] + pd.to_timedelta(rng.integers(1, 8, len(chosen)), unit="D") + pd.Timedelta(minutes=11)
    for kind, step, delay in (
        ("reopened", "Mở lại hồ sơ để xử lý", pd.Timedelta(0)),
        ("decided", "Ký, ban hành kết quả", pd.Timedelta(days=3)),
        ("delivered", "Trả kết quả", pd.Timedelta(days=4)),
    ):
        source = "decided" if kind == "reopened" else kind
        again = old[old.kind == source].drop_duplicates("dossier_id").set_index("dossier_id").loc[chosen]
        again = again.assign(kind=kind, step=step, happened_at=back.loc[chosen] + delay)
        bare = {name: again[name].mask(again.kind.notna()) for name in ("due_at", "step_due_at", "papers", "reason")}
        parts.append(again.assign(**bare).reset_index())
    joined = pd.concat(parts, ignore_index=True)
    return dossier, joined, _marked(chosen, "T12")


def random_code(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T7: the portal gets another code, `<unit>-<yymmdd>-<random>`; the own one stands in MaHoSoKhac."""
    able = dossier[dossier.system == "dvcqg"].dossier_id.to_numpy()
    chosen = _draw(rng, able, 0.03)
    number = rng.permutation(90_000)[: len(chosen)] + 10_000
    other = {own: f"{own.rsplit('-', 1)[0]}-{n}" for own, n in zip(chosen, number, strict=False)}
    dossier = dossier.assign(portal_id=dossier.dossier_id.map(other).fillna(dossier.dossier_id))
    return dossier, event, _marked(np.array(list(other)), "T7")


def unknown_owner(rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp) -> Frames:
    """T10: identity "000000001", abstract "Dinhkem"."""
    able = dossier[dossier.system == "dvcqg"].dossier_id.to_numpy()
    chosen = _draw(rng, able, 0.05)
    return dossier.assign(unknown_owner=dossier.dossier_id.isin(chosen)), event, _marked(chosen, "T10")


def copied_submission(
    rng: np.random.Generator, dossier: pd.DataFrame, event: pd.DataFrame, end: pd.Timestamp
) -> Frames:
    """T11: some offices send the receipt as the submission; for online dossiers the true moment is lost."""
    units = _draw(rng, np.sort(dossier.unit_code.unique()), 0.3)
    copied = dossier.unit_code.isin(units) & (dossier.system == "dvcqg")
    online = copied & (dossier.channel == "online")
    submitted = dossier.submitted_at.mask(copied, dossier.received_at).mask(online)
    dossier = dossier.assign(submitted_at=submitted, copied=copied)
    return dossier, event, _marked(dossier[online].dossier_id.to_numpy(), "T11")
