"""What an action's name says was done: the words of one-stop systems to event kinds.

Systems name their actions freely (`Trình lãnh đạo ký`, `Công dân đã gửi bổ sung`); the status beside them is
coarse: status 4 covers every act of work. The first pattern that fits the folded words decides.
"""

import re
from functools import lru_cache

from features.spelling.names import plain

_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("apologised", ("xin loi",)),
    ("extended", ("gia han", "hen lai ngay tra", "xin them thoi gian")),
    ("reset", ("dat lai (?:ho so|han|thoi han|ngay hen)", "tinh lai (?:han|thoi han)")),
    ("reopened", ("mo lai", "reopen", "xu ly lai tu dau")),
    ("papers_supplied", (
        "(?:da (?:gui|nop)|hoan thanh|tiep nhan|nhan(?: duoc)?|da) bo sung", "(?:nop|gui) (?:ho so |giay to )?bo sung",
        "^bo sung ho so (?:truoc|sau) tiep nhan", "cong dan (?:da )?bo sung",
    )),
    ("papers_requested", ("bo sung", "thieu giay to", "hoan thien ho so")),
    ("resumed", (
        "tiep tuc (?:xu ly|giai quyet)", "het (?:thoi gian )?tam dung", "khoi phuc",
        "da (?:nop|hoan thanh|thuc hien) nghia vu",
    )),
    ("suspended", (
        "tam dung", "dung (?:xu ly|giai quyet)", "nghia vu tai chinh", "cho nop (?:thue|phi|le phi|tien)",
    )),
    ("consultation_answered", (
        "(?:da co|nhan(?: duoc)?|tra loi|phan hoi|cho) y kien", "y kien tra loi", "y kien phoi hop da",
    )),
    ("consulted", ("(?:lay|xin|gui) y kien", "gui phoi hop", "chuyen lien thong")),
    ("withdrawn", ("rut ho so", "huy ho so", "xin rut")),
    ("returned", (
        "tra lai (?:buoc|phong|nguoi|can bo|chuyen vien|bo phan|de)", "tra ve buoc", "phan cong lai", "kiem tra lai",
    )),
    ("refused", (
        "tu choi", "khong (?:duoc )?tiep nhan", "tra lai ho so", "khong du dieu kien", "van ban tra lai",
    )),
    ("forwarded", ("chuyen (?:tra )?ket qua", "gui ket qua")),
    ("delivered", ("tra ket qua", "tra (?:van ban|vb)", "da tra cho", "cong dan (?:da )?nhan ket qua")),
    ("decided", (
        "(?:ky|ban hanh|phat hanh|phe duyet|duyet|cap).{0,20}(?:ket qua|van ban|vb|giay phep|giay chung nhan)",
        "ket thuc (?:xu ly|giai quyet)", "da xu ly xong", "hoan thanh (?:xu ly|ho so)", "ky,? ban hanh", "ky duyet$",
    )),
    ("forwarded", ("trinh", "gui duyet", "chuyen")),
    ("received", ("tiep nhan", "nhan ho so")),
    ("assigned", (
        "phan cong", "tham dinh", "tham tra", "tham xet", "thu ly", "xu ly", "kiem tra", "xac minh", "du thao",
        "soan thao", "khao sat",
    )),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile("|".join(words))) for kind, words in _WORDS)
_ROUTINE = re.compile(r"chuyen (?:tra )?ket qua|vao so|dong dau|luu (?:tru|ho so)|so hoa|in ket qua|gui ket qua")


@lru_cache(maxsize=16384)
def kind_of(action: str) -> str | None:
    """The event kind that an action's name stands for; None for other names."""
    words = plain(action)
    for kind, pattern in _PATTERNS:
        if pattern.search(words):
            return kind
    return None


@lru_cache(maxsize=16384)
def is_routine(action: str) -> bool:
    """Whether the action only files or hands over a result that stands already."""
    return _ROUTINE.search(plain(action)) is not None


_BARE = re.compile(
    r"(?:yeu cau |de nghi |thong bao )?(?:cong dan )?bo sung(?: giay to| ho so)?"
    r"|(?:tam )?dung (?:xu ly|giai quyet)(?: ho so)?|(?:yeu cau )?thuc hien nghia vu tai chinh"
    r"|tu choi(?: tiep nhan| giai quyet)?(?: ho so)?|tra lai ho so"
    r"|(?:cong dan )?(?:xin )?rut ho so|gia han(?:, hen lai ngay tra)?"
)


@lru_cache(maxsize=16384)
def is_bare(action: str) -> bool:
    """Whether the text names the action and gives no reason for it."""
    return _BARE.fullmatch(plain(action).strip(" .:")) is not None
