"""What the made-up province Minh Hải (H99, fictional) does: sectors, offices and procedures.

Shares and late rates follow the public figures in domain.md 1.8: one land office holds about a fifth of the
dossiers and is late with about 31 % of them, small departments lie between 1 % and 50 %, communes between
2 % and 25 %. Procedure codes 1.99xxxx do not exist (1.001612 is real).
"""

from __future__ import annotations

from dataclasses import dataclass

PROVINCE = "H99"
ONE_STOP = "H99.30"
"""The provincial one-stop centre: it receives for the departments and decides nothing itself."""

SECTORS: dict[str, tuple[str, float]] = {
    "G99-NMT01": ("Đất đai", 1.0),
    "G99-XD01": ("Hoạt động xây dựng", 1.0),
    "G99-DT01": ("Đầu tư", 1.0),
    "G99-KD01": ("Thành lập và hoạt động của hộ kinh doanh", 0.7),
    "G99-DN01": ("Đăng ký doanh nghiệp", 0.8),
    "G99-CP01": ("Cấp phép kinh doanh có điều kiện", 0.9),
    "G99-HT01": ("Hộ tịch", 0.2),
    "G99-CT01": ("Chứng thực", 0.2),
    "G99-BT01": ("Bảo trợ xã hội và người có công", 0.3),
    "G99-TP01": ("Lý lịch tư pháp", 0.5),
    "G99-YT01": ("Y tế", 0.5),
    "G99-GD01": ("Giáo dục và đào tạo", 0.3),
    "G99-VH01": ("Văn hoá, thể thao, du lịch", 0.2),
    "G99-NG01": ("Đối ngoại", 0.2),
}
"""Sector code → name and the directives' prior weight (S0 2c, S4 1đ); a weight is no evidence."""


@dataclass(frozen=True)
class Office:
    """One department: code, name, share of all dossiers, share of them late."""

    code: str
    name: str
    share: float
    late: float


OFFICES: tuple[Office, ...] = (
    Office("H99.24", "Sở Nông nghiệp và Môi trường", 0.210, 0.311),
    Office("H99.18", "Sở Xây dựng", 0.025, 0.100),
    Office("H99.13", "Sở Tài chính", 0.020, 0.240),
    Office("H99.12", "Sở Nội vụ", 0.020, 0.080),
    Office("H99.19", "Sở Tư pháp", 0.030, 0.110),
    Office("H99.20", "Sở Y tế", 0.018, 0.090),
    Office("H99.10", "Sở Công Thương", 0.014, 0.215),
    Office("H99.15", "Sở Giáo dục và Đào tạo", 0.010, 0.288),
    Office("H99.17", "Sở Văn hoá, Thể thao và Du lịch", 0.008, 0.010),
    Office("H99.02", "Ban Quản lý Khu kinh tế", 0.004, 0.142),
    Office("H99.22", "Sở Khoa học và Công nghệ", 0.004, 0.100),
    Office("H99.26", "Sở Ngoại vụ", 0.001, 0.500),
)


@dataclass(frozen=True)
class Procedure:
    """One procedure: `days` legal working days, `weight` inside its offices, chances of a supplement request
    and of a consultation, share filed through an agent, published `papers`.
    """

    code: str
    name: str
    sector: str
    offices: tuple[str, ...]
    days: float
    weight: float
    supplement: float
    consult: float
    agent: float
    papers: tuple[str, ...]


_ID = "Bản sao giấy tờ tuỳ thân"
_LAND = "Giấy chứng nhận quyền sử dụng đất đã cấp"
COMMUNE = ("commune",)

# fmt: off
PROCEDURES: tuple[Procedure, ...] = (
    Procedure("1.990001", "Đăng ký biến động quyền sử dụng đất", "G99-NMT01", ("H99.24",), 7, 55, 0.16, 0.22,
              0.22, ("Đơn đăng ký (Mẫu 18)", _LAND, "Hợp đồng chuyển quyền", "Tờ khai thuế")),
    Procedure("1.990002", "Cấp giấy chứng nhận lần đầu", "G99-NMT01", ("H99.24",), 15, 20, 0.24, 0.45, 0.28,
              ("Đơn đăng ký (Mẫu 15)", "Giấy tờ nguồn gốc đất", "Trích đo bản đồ", "Tờ khai thuế")),
    Procedure("1.990003", "Chuyển mục đích sử dụng đất", "G99-NMT01", ("H99.24",), 9, 25, 0.18, 0.40, 0.25,
              ("Đơn xin chuyển mục đích", _LAND, "Trích lục bản đồ")),
    Procedure("1.990018", "Cấp giấy phép xây dựng nhà ở riêng lẻ", "G99-XD01", ("H99.18", *COMMUNE), 15, 4,
              0.20, 0.18, 0.25, ("Đơn đề nghị (Mẫu 01)", _LAND, "Bản vẽ thiết kế")),
    Procedure("1.990019", "Thẩm định thiết kế xây dựng", "G99-XD01", ("H99.18",), 20, 2, 0.26, 0.35, 0.30,
              ("Tờ trình thẩm định", "Hồ sơ thiết kế", "Kết quả khảo sát")),
    Procedure("1.990031", "Chấp thuận chủ trương đầu tư", "G99-DT01", ("H99.13", "H99.02"), 25, 3, 0.22, 0.75,
              0.35, ("Văn bản đề nghị", "Đề xuất dự án", "Tài liệu năng lực tài chính", "Nhu cầu đất")),
    Procedure("1.990032", "Điều chỉnh giấy chứng nhận đầu tư", "G99-DT01", ("H99.13", "H99.02"), 10, 6, 0.18,
              0.40, 0.35, ("Văn bản đề nghị", "Báo cáo tình hình dự án", "Quyết định của nhà đầu tư")),
    Procedure("1.990033", "Đăng ký thành lập công ty", "G99-DN01", ("H99.13",), 3, 30, 0.15, 0.03, 0.40,
              ("Giấy đề nghị", "Điều lệ", "Danh sách thành viên", _ID)),
    Procedure("1.001612", "Đăng ký thành lập hộ kinh doanh", "G99-KD01", COMMUNE, 3, 7, 0.10, 0.03, 0.12,
              ("Giấy đề nghị đăng ký", _ID)),
    Procedure("1.990041", "Cấp giấy phép bán lẻ rượu, thuốc lá", "G99-CP01", ("H99.10", *COMMUNE), 7, 2, 0.15,
              0.10, 0.18, ("Đơn đề nghị", "Bản sao đăng ký kinh doanh", "Giấy giới thiệu của nhà cung cấp")),
    Procedure("1.990042", "Cấp giấy chứng nhận an toàn thực phẩm", "G99-CP01", ("H99.10", "H99.20"), 12, 4,
              0.20, 0.20, 0.18, ("Đơn đề nghị", "Bản thuyết minh cơ sở vật chất", "Giấy khám sức khoẻ")),
    Procedure("1.990051", "Đăng ký khai sinh", "G99-HT01", COMMUNE, 1, 22, 0.04, 0.01, 0.01,
              ("Tờ khai", "Giấy chứng sinh", _ID)),
    Procedure("1.990052", "Đăng ký kết hôn", "G99-HT01", COMMUNE, 3, 9, 0.06, 0.04, 0.01,
              ("Tờ khai", "Giấy xác nhận tình trạng hôn nhân", _ID)),
    Procedure("1.990053", "Cải chính, thay đổi hộ tịch", "G99-HT01", COMMUNE, 5, 6, 0.12, 0.12, 0.02,
              ("Tờ khai", "Giấy tờ làm căn cứ thay đổi", _ID)),
    Procedure("2.990061", "Chứng thực hợp đồng, giao dịch", "G99-CT01", COMMUNE, 2, 26, 0.04, 0.01, 0.06,
              ("Dự thảo hợp đồng", _ID, _LAND)),
    Procedure("1.990062", "Xác nhận nguồn gốc đất", "G99-NMT01", COMMUNE, 10, 8, 0.16, 0.18, 0.12,
              ("Đơn đề nghị", "Giấy tờ nguồn gốc đất", "Trích lục bản đồ")),
    Procedure("1.990071", "Trợ cấp xã hội hằng tháng", "G99-BT01", ("H99.12", *COMMUNE), 10, 10, 0.12, 0.10,
              0.02, ("Tờ khai (Mẫu 1a)", "Giấy xác nhận khuyết tật")),
    Procedure("1.990072", "Giải quyết chế độ người có công", "G99-BT01", ("H99.12", *COMMUNE), 15, 3, 0.16,
              0.30, 0.02, ("Bản khai", "Giấy tờ chứng minh quá trình tham gia")),
    Procedure("1.990081", "Cấp phiếu lý lịch tư pháp", "G99-TP01", ("H99.19",), 10, 10, 0.03, 0.60, 0.05,
              ("Tờ khai", _ID)),
    Procedure("1.990091", "Cấp chứng chỉ hành nghề y", "G99-YT01", ("H99.20",), 15, 8, 0.18, 0.10, 0.04,
              ("Đơn đề nghị", "Văn bằng chuyên môn", "Giấy xác nhận thực hành")),
    Procedure("1.990095", "Cho phép hoạt động giáo dục", "G99-GD01", ("H99.15",), 15, 8, 0.20, 0.25, 0.06,
              ("Tờ trình", "Đề án hoạt động", "Danh sách giáo viên")),
    Procedure("1.990097", "Cấp phép biểu diễn, quảng cáo", "G99-VH01", ("H99.17", "H99.22"), 5, 8, 0.08, 0.08,
              0.10, ("Đơn đề nghị", "Kịch bản hoặc maket", "Hợp đồng thuê địa điểm")),
    Procedure("1.990099", "Cho phép tổ chức hội nghị quốc tế", "G99-NG01", ("H99.26",), 15, 1, 0.15, 0.80,
              0.05, ("Công văn xin phép", "Đề án tổ chức")),
)

# fmt: on

OUTSIDE_PAPERS = (
    "Giấy xác nhận tình trạng hôn nhân của bên bán",
    "Xác nhận của tổ dân phố",
    "Bản cam kết không tranh chấp có xác nhận",
    "Sơ yếu lý lịch có dấu giáp lai",
    "Bản sao sổ hộ khẩu cũ",
    "Giấy giới thiệu của cơ quan",
)
"""Papers on no published list: what an official asks for who wants something else."""

# fmt: off
COMMUNE_NAMES = (
    "Bến Thử", "Tân Mẫu", "Phú Ví", "An Dụ", "Hoà Giả", "Long Định", "Minh Tâm", "Bình Hư", "Vĩnh Cấu",
    "Đông Thử", "Tây Mẫu", "Nam Ví", "Bắc Dụ", "Thanh Giả", "Xuân Định", "Hải Tâm", "Sơn Hư", "Quảng Cấu",
    "Thịnh Thử", "Lộc Mẫu", "Cát Ví", "Mỹ Dụ", "Ninh Giả", "Khánh Định", "Trường Tâm", "Phước Hư", "Đại Cấu",
)
# fmt: on
