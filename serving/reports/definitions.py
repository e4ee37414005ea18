"""How each figure of a report is counted, in words that stand in the workbook beside it; by the figure's English name.

The rules themselves stand where they are applied: lateness in `features.case_state.state`, the 766 class in
`features.case_state.official_class`, terms of answers in `serving.work`.
"""

from collections.abc import Mapping

_LATE = "quá hạn theo hẹn trả đúng luật (hẹn lần đầu, cộng thời gian chờ người dân và một lần gia hạn có lý do)"
EXPLAINED: Mapping[str, str] = {
    "received": "Hồ sơ có ngày tiếp nhận trong kỳ.",
    "ended": "Hồ sơ có kết quả, bị từ chối hoặc được rút trong kỳ; hồ sơ mở lại trong 30 ngày tính theo lần xong cuối.",
    "of these late": f"Hồ sơ xong trong kỳ mà {_LATE}.",
    "open at the end": "Hồ sơ đã tiếp nhận mà đến cuối kỳ chưa xong.",
    "of these overdue": f"Hồ sơ chưa xong, đồng hồ đang chạy, đã {_LATE}.",
    "of these waiting for the citizen": "Hồ sơ chưa xong, đang chờ người dân bổ sung hoặc tạm dừng: đồng hồ dừng.",
    "ended past the first promise": "Hồ sơ xong trong kỳ sau ngày hẹn đầu tiên, kể cả khi đã hẹn lại đúng quy định.",
    "set aside: the end lies before the receipt": "Hồ sơ mà nguồn ghi kết thúc trước khi tiếp nhận: không đếm vào đâu.",
    "late of ended, per cent": "Trễ hẹn / hồ sơ xong có hẹn trả; chỉ nêu khi có từ 20 hồ sơ xong.",
    "95 % interval from": "Đầu dưới khoảng tin cậy 95 % (Wilson) của tỷ lệ trễ hẹn.",
    "95 % interval to": "Đầu trên khoảng tin cậy 95 % (Wilson) của tỷ lệ trễ hẹn.",
    "progress points of the index 766": "20 × hồ sơ đúng hạn / hồ sơ tiếp nhận, đếm theo QĐ 766/QĐ-TTg.",
    "progress points": "20 × hồ sơ đúng hạn / hồ sơ tiếp nhận, đếm theo QĐ 766/QĐ-TTg.",
    "overdue as 766 counts": "Hồ sơ tiếp nhận trong kỳ mà cách đếm của QĐ 766/QĐ-TTg tính là quá hạn.",
    "dossiers that the events class otherwise": "Hồ sơ mà cách đếm 766 và các sự kiện cho kết quả khác nhau.",
    "points by the events": "Như điểm tiến độ, nhưng đúng hạn hay không tính theo các sự kiện trong hồ sơ.",
    "counts of the sources compared": "Số liệu tổng hợp mà hệ thống nguồn tự báo, đặt cạnh số đếm từ hồ sơ.",
    "gap left unexplained": "Tổng chênh lệch giữa số nguồn báo và số đếm mà không rõ nguyên nhân.",
    "passages of steps": "Mỗi lần một hồ sơ qua một bước trong kỳ là một lượt.",
    "passages that nobody holds by name": "Lượt qua bước mà nguồn không ghi người giữ.",
    "passages past the step's term": "Lượt kéo dài quá hạn riêng của bước.",
    "late dossiers explained": "Hồ sơ trễ, quá hạn của kỳ đã có giải trình đến cuối kỳ.",
    "late dossiers without an explanation": "Hồ sơ trễ, quá hạn của kỳ chưa có giải trình.",
    "late dossiers by holder": f"Hồ sơ {_LATE}; người giữ là người giữ lúc hạn qua đi.",
    "apologies owed": "Hồ sơ trễ phải có văn bản xin lỗi và hẹn lại (NĐ 118/2025/NĐ-CP).",
    "of these not sent": "Hồ sơ phải xin lỗi mà chưa có văn bản gửi đi.",
    "new day missed": "Hồ sơ đã xin lỗi, hẹn lại mà ngày hẹn mới cũng không giữ được.",
    "consultations": "Mỗi lần hỏi ý kiến một cơ quan khác về một hồ sơ, còn mở hoặc được trả lời trong kỳ.",
    "of these late or overdue": "Lượt hỏi được trả lời sau hạn, hoặc quá hạn chưa trả lời.",
    "complaints filed": "Phản ánh, kiến nghị gửi trong kỳ.",
    "complaints answered": "Phản ánh, kiến nghị được trả lời trong kỳ.",
    "in time, per cent": "Phản ánh trả lời trong hạn / phản ánh đã trả lời trong kỳ.",
    "complaints overdue": "Phản ánh quá hạn mà cuối kỳ chưa trả lời.",
    "sent back twice or more": "Trả lại, yêu cầu bổ sung, từ chối rồi nộp lại: cộng từ 2 lần trở lên.",
    "of these not reviewed yet": "Hồ sơ bị trả nhiều lần mà chưa ai xem xét nguyên nhân.",
    "of these through an official's fault, after review": "Người có thẩm quyền đã xem xét và ghi là do cán bộ.",
    "ratings by citizens after the end": "Người dân đánh giá sau khi có kết quả; không gồm đánh giá do cán bộ nhập.",
    "visits": "Cuộc kiểm tra diễn ra trong kỳ.",
    "dossiers found clean": "Hồ sơ đã kiểm tra, kết quả là không có vấn đề.",
    "confirmed findings": "Kết luận có vấn đề được người có thẩm quyền xác nhận trong kỳ; chỉ chúng nêu tên.",
    "findings waiting": "Kết luận có vấn đề chưa được xác nhận: chỉ đếm, không nêu tên.",
    "findings not confirmed": "Kết luận mà người có thẩm quyền xác định là không đúng: chỉ đếm, không nêu tên ở đâu.",
    "remedies demanded": "Việc phải khắc phục sau kiểm tra đã giao đến cuối kỳ; bỏ việc dựa trên kết luận không đúng.",
    "missions": "Một đoàn kiểm tra trong một ngày là một đợt.",
    "least asked for": "Số đợt ít nhất mà chỉ thị yêu cầu trong kỳ.",
    "units with dossiers not visited": "Đơn vị có hồ sơ trong kỳ mà chưa có cuộc kiểm tra nào.",
    "warnings nobody acknowledged": "Cảnh báo sớm gửi trong kỳ mà cuối kỳ chưa ai xác nhận đã đọc.",
    "explanations overdue": "Phiếu giải trình quá hạn mà cuối kỳ chưa có giải trình.",
    "units that stand out": "Đơn vị mà cả khoảng tin cậy của tỷ lệ làm tốt 12 tháng nằm trên mức chung.",
    "officials that stand out": "Cán bộ mà cả khoảng tin cậy của tỷ lệ làm tốt 12 tháng nằm trên mức chung.",
}
"""One sentence a figure."""
