"""The sheet of one visit: which dossiers to pull, each with its chance of being pulled.

First come those that an inspector picked. The larger part are the dossiers with the highest risk, at most `cap` of one
official. The rest is drawn, all alike, from everything else that is open in the unit, so that no dossier and no
official is ever safe, and the record gets labels that the model did not choose. Each kind of reason brings questions:
open ones that accuse nobody and name the paper or log where the answer stands.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.matrix.batch import FEATURES
from serving.plan.draw import draw
from serving.plan.plan_input import Pull

GROUPS = {feature.name: feature.group for feature in FEATURES}
"""Column of the matrix → the group of reasons that it belongs to."""


@dataclass(frozen=True)
class Question:
    """One question and where to look, Vietnamese first. codes: of the reasons that raise it."""

    codes: tuple[str, ...]
    vi: str
    en: str
    look_vi: str
    look_en: str


QUESTIONS = (
    Question(
        ("clock", "term"),
        "Hồ sơ đang vướng ở đâu và còn những việc gì phải làm trước ngày hẹn trả?",
        "Where does the dossier stand, and what remains before the promised day?",
        "Phiếu hẹn trả kết quả, phiếu kiểm soát quá trình giải quyết",
        "appointment slip, process control sheet",
    ),
    Question(
        ("promise",),
        "Vì sao ngày hẹn trả được gia hạn hoặc đặt lại, ai quyết định, người dân đã được xin lỗi chưa?",
        "Why was the promise extended or set anew, who decided, was the citizen sent an apology?",
        "Văn bản gia hạn, thư xin lỗi, nhật ký thay đổi ngày hẹn trên hệ thống",
        "extension paper, apology, log of changed due dates",
    ),
    Question(
        ("papers", "receipt"),
        "Giấy tờ yêu cầu bổ sung có nằm trong thành phần hồ sơ đã công bố không, sao không yêu cầu một lần?",
        "Are the papers asked for in the published list, and why were they not asked for at once?",
        "Phiếu yêu cầu bổ sung, danh mục thành phần hồ sơ của thủ tục",
        "request slips, published list of the procedure",
    ),
    Question(
        ("consultation",),
        "Đã lấy ý kiến cơ quan nào, có bắt buộc không, gửi và nhận trả lời ngày nào?",
        "Which office was consulted, was it required, when was it asked and when did it answer?",
        "Công văn lấy ý kiến và trả lời",
        "letters of consultation and answers",
    ),
    Question(
        ("handling", "way"),
        "Vì sao hồ sơ được chuyển qua lại, mỗi lần chuyển có ghi lý do không?",
        "Why was the dossier handed to and fro, and is a reason on file each time?",
        "Phiếu bàn giao, lịch sử xử lý",
        "handover slips, processing log",
    ),
    Question(
        ("silence", "step", "step_pace"),
        "Trong thời gian không có cập nhật, việc gì đã được làm với hồ sơ?",
        "What was done with the dossier while nothing was recorded?",
        "Tài liệu làm việc có ngày tháng, hồ sơ giấy",
        "dated working papers, the paper file",
    ),
    Question(
        ("official_load", "unit_load", "procedure_load"),
        "Khối lượng việc được phân công thế nào, có người giữ quá nhiều hồ sơ so với vị trí tương tự không?",
        "How is work shared out; does somebody hold far more than others in the same post?",
        "Bảng phân công, số hồ sơ đang giữ theo người",
        "assignment table, open dossiers by holder",
    ),
    Question(
        (
            "official_history",
            "official_pace",
            "unit_history",
            "unit_pace",
            "procedure_history",
            "procedure_pace",
        ),
        "Vì sao loại hồ sơ này ở đây thường lâu hơn nơi khác; thủ tục, nhân lực hay cách làm?",
        "Why does this kind of dossier take longer here than elsewhere: procedure, staff, or way of working?",
        "Mẫu hồ sơ cùng thủ tục đã giải quyết gần đây",
        "recently closed dossiers of the same procedure",
    ),
    Question(
        ("H", "T"),
        "Dữ liệu ghi nhận dấu hiệu cần kiểm tra này được giải thích thế nào bằng hồ sơ gốc?",
        "How do the original papers explain the sign that the data show?",
        "Hồ sơ gốc đối chiếu nhật ký hệ thống",
        "original file against system log",
    ),
)

ANYWAY = Question(
    (),
    "Hồ sơ có đủ, đúng trình tự, đúng thời hạn không; người nộp có phải đi lại nhiều lần không?",
    "Is the dossier complete, in order and in time; did the applicant have to come several times?",
    "Toàn bộ hồ sơ và lịch sử xử lý",
    "the whole file and its processing log",
)
"""Asked of every dossier, and the only question for those that chance alone picked."""


def questions(codes: Iterable[str]) -> list[Question]:
    """The questions that the reasons raise, each once, in order of the reasons; the common one last.

    A reason's code is a column of the matrix and stands for its group; signals stand for their family (`H5`
    for `H`, `T1` for `T`).
    """
    raised: list[Question] = []
    for code in codes:
        family = code[0] if code[:1] in {"H", "T"} and code[1:2].isdigit() else GROUPS.get(code, code)
        raised += [one for one in QUESTIONS if family in one.codes and one not in raised]
    return [*raised, ANYWAY]


@dataclass(frozen=True)
class SheetLine:
    """One dossier to pull. probability: of being pulled once the unit is visited (1 for the picked and riskiest)."""

    dossier_id: str
    official_id: str | None
    chosen_by: Literal["pick", "score", "draw"]
    probability: float
    score: float
    reasons: tuple[str, ...]


def sheet(
    pulls: Sequence[Pull], size: int, random_share: float, cap: int, seed: str, visit_id: str,
    picked: Collection[str] = (),
) -> list[SheetLine]:  # fmt: skip
    """At most `size` lines, the picked first, then the riskiest. pulls: by falling score; their order breaks ties.

    Picks take the places of the riskiest, never those that are drawn.
    """
    random = max(1, round(random_share * size))
    wanted = [pull for pull in pulls if pull.dossier_id in picked][: max(size - random, 0)]
    if wanted:
        rest = [pull for pull in pulls if pull not in wanted]
        left = sheet(rest, size - len(wanted), random / (size - len(wanted)), cap, seed, visit_id)
        return [_line(pull, "pick", 1.0) for pull in wanted] + left
    if len(pulls) <= size:
        return [_line(pull, "score" if i < size - random else "draw", 1.0) for i, pull in enumerate(pulls)]
    held: dict[str | None, int] = {}
    top: list[int] = []
    for place, pull in enumerate(pulls):
        if len(top) == size - random:
            break
        if pull.official_id is None or held.get(pull.official_id, 0) < cap:
            held[pull.official_id] = held.get(pull.official_id, 0) + 1
            top.append(place)
    random = size - len(top)
    taken = set(top)
    rest = [pull for place, pull in enumerate(pulls) if place not in taken]
    chance = min(1.0, random / len(rest))
    drawn = draw(np.full(len(rest), chance), [p.dossier_id for p in rest], seed, f"sheet {visit_id}")
    return [_line(pulls[i], "score", 1.0) for i in top] + [_line(rest[i], "draw", chance) for i in drawn]


def expected_findings(pulls: Sequence[Pull], size: int, random_share: float) -> float:
    """Findings expected when a visit pulls its sheet: the top scores and the mean of the rest."""
    scores = np.array([pull.score for pull in pulls])
    top = size - max(1, round(random_share * size))
    rest = scores[top:]
    return float(scores[:top].sum() + (min(size - top, len(rest)) * rest.mean() if len(rest) else 0.0))


def _line(pull: Pull, chosen_by: Literal["pick", "score", "draw"], probability: float) -> SheetLine:
    return SheetLine(pull.dossier_id, pull.official_id, chosen_by, probability, pull.score, pull.reasons)
