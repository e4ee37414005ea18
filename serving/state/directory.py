"""The names behind opaque keys; kept out of the record, the features, the models and the logs."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class OfficialName(Base):
    """An official's display name, shown only to those whose rights reach the official's unit."""

    __tablename__ = "official_name"

    official_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    name: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime]
