//! What each reason means and what to do about it, in one sentence of each language.

use super::Reason;

/// A text in Vietnamese and English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

impl Reason {
    /// What it means and what to do, for who looks after an installation.
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each reason")]
    pub fn sentence(self) -> Sentence {
        match self {
            Reason::Dns => Sentence {
                vi: "Không tìm được địa chỉ của tên miền; kiểm tra tên trong tệp thu và máy chủ DNS.",
                en: "The host name has no address; check the name in the collector and the DNS server.",
            },
            Reason::Connect => Sentence {
                vi: "Không kết nối được tới máy chủ nguồn; thử mở địa chỉ từ máy này, rồi báo đơn vị quản lý hệ thống.",
                en: "No connection to the source's server; try its address from this machine, then tell the owner of the system.",
            },
            Reason::TlsHandshake => Sentence {
                vi: "Bắt tay TLS bị gián đoạn; kiểm tra cổng và https trong địa chỉ, rồi báo đơn vị quản lý hệ thống.",
                en: "The TLS handshake broke; check port and https in the address, then tell the owner of the system.",
            },
            Reason::TlsUntrusted => Sentence {
                vi: "Chứng thư của nguồn không được tin cậy; nếu do CA nhà nước cấp, thêm CA đó vào [http] extra_ca, nếu không báo đơn vị quản lý.",
                en: "The source's certificate is not trusted; if a government CA issued it, add that CA to [http] extra_ca, else tell the owner.",
            },
            Reason::TlsExpired => Sentence {
                vi: "Chứng thư của nguồn đã hết hạn; báo đơn vị quản lý hệ thống gia hạn, và xem đồng hồ máy này có đúng không.",
                en: "The source's certificate has expired; tell the owner to renew it, and see that this machine's clock is right.",
            },
            Reason::Timeout => Sentence {
                vi: "Nguồn không trả lời xong trong thời hạn; thử lại sau, hoặc tăng limits của tệp thu nếu nguồn vốn chậm.",
                en: "The source did not answer in time; try later, or raise the collector's limits if the source is slow by nature.",
            },
            Reason::Http4xx => Sentence {
                vi: "Nguồn từ chối yêu cầu (mã 4xx); kiểm tra địa chỉ và tham số trong tệp thu, có thể nguồn đã đổi đường dẫn.",
                en: "The source refused the request (status 4xx); check address and parameters in the collector, the path may have changed.",
            },
            Reason::Http5xx => Sentence {
                vi: "Máy chủ nguồn báo lỗi (mã 5xx); thử lại sau, nếu kéo dài thì báo đơn vị quản lý hệ thống.",
                en: "The source's server reports an error (status 5xx); try later, and tell the owner of the system if it lasts.",
            },
            Reason::Auth => Sentence {
                vi: "Nguồn không chấp nhận tài khoản của chúng ta; kiểm tra mã bí mật còn hạn không và xin lại quyền truy cập.",
                en: "The source does not accept who we are; check that the secret is still valid, and ask for access again.",
            },
            Reason::RateLimited => Sentence {
                vi: "Nguồn yêu cầu hỏi chậm lại; giảm rate trong tệp thu hoặc xin đơn vị quản lý nâng hạn mức.",
                en: "The source asks us to slow down; lower rate in the collector, or ask the owner for a higher limit.",
            },
            Reason::RedirectBlocked => Sentence {
                vi: "Nguồn chuyển hướng sang địa chỉ khác, chương trình không đi theo; nếu địa chỉ mới đúng thì sửa url trong tệp thu.",
                en: "The source redirects elsewhere, which is not followed; if the new address is right, write it as url in the collector.",
            },
            Reason::AddressBlocked => Sentence {
                vi: "Tên miền trỏ về chính máy này hoặc địa chỉ đặc biệt nên không hỏi; kiểm tra DNS, hoặc ghi thẳng địa chỉ IP nếu đúng ý.",
                en: "The name leads to this machine or a special address and is not asked; check DNS, or write the IP address if that is meant.",
            },
            Reason::Firewall => Sentence {
                vi: "Tường lửa của nguồn chặn yêu cầu; đề nghị đơn vị quản lý cho phép địa chỉ IP của máy này.",
                en: "The source's firewall blocks the request; ask the owner to allow this machine's IP address.",
            },
            Reason::TooLarge => Sentence {
                vi: "Câu trả lời lớn hơn giới hạn; xem nguồn trả về gì, rồi tăng limits.body nếu dung lượng đó là bình thường.",
                en: "The answer is larger than the limit; see what the source sends, then raise limits.body if that size is normal.",
            },
            Reason::Decode => Sentence {
                vi: "Không giải mã được câu trả lời (hỏng, cụt hoặc sai bảng mã); mở minh chứng để xem, rồi sửa encoding hoặc báo nguồn.",
                en: "The answer cannot be decoded (broken, cut, another encoding); look at the evidence, then correct encoding or tell the owner.",
            },
            Reason::ContentType => Sentence {
                vi: "Nguồn trả về loại nội dung khác (thường là trang bảo trì); mở minh chứng để xem, rồi thử lại sau hoặc sửa tệp thu.",
                en: "The source sent another kind of content (often a maintenance page); look at the evidence, then try later or mend the collector.",
            },
            Reason::Protocol => Sentence {
                vi: "Câu trả lời HTTP bị đứt hoặc sai giao thức; thử lại sau, nếu kéo dài thì báo đơn vị quản lý hệ thống.",
                en: "The HTTP answer was cut or breaks the protocol; try later, and tell the owner of the system if it lasts.",
            },
            Reason::ErrorInBody => Sentence {
                vi: "Nội dung câu trả lời là báo lỗi hoặc nói về đối tượng khác; mở minh chứng để xem và kiểm tra tham số trong tệp thu.",
                en: "The answer says that it is an error or is about something else; look at the evidence and check the collector's parameters.",
            },
            Reason::MaintenancePage => Sentence {
                vi: "Trang đang hiển thị thông báo bảo trì; nếu đã báo trước thì ghi vào registry/maintenance.csv kèm văn bản thông báo.",
                en: "The page says that it is being maintained; if that was announced, enter it with its notice in registry/maintenance.csv.",
            },
            Reason::SelectorMissing => Sentence {
                vi: "Không thấy mục dữ liệu cần đọc, trang nguồn đã đổi; dùng lệnh try để xem, rồi sửa đường dẫn hoặc tiêu đề cột trong tệp thu.",
                en: "What should be read is not there, the page changed; look with try, then correct the path or heading in the collector.",
            },
            Reason::ShapeChanged => Sentence {
                vi: "Cấu trúc dữ liệu của nguồn khác trước; so sánh với minh chứng cũ, rồi sửa tệp thu hoặc xác nhận cấu trúc mới.",
                en: "The structure of the source's data differs from before; compare with older evidence, then mend the collector or accept it.",
            },
            Reason::ValueUnparsed => Sentence {
                vi: "Có giá trị không đọc được chắc chắn thành số hoặc ngày; xem chữ gốc trong phát hiện, rồi sửa number hoặc format.",
                en: "A value cannot be read as number or date without doubt; see its text in the finding, then correct number or format.",
            },
            Reason::RowsMismatch => Sentence {
                vi: "Số dòng không như nguồn công bố hoặc như mong đợi; mở minh chứng xem thiếu dòng nào, rồi thu lại hoặc sửa tệp thu.",
                en: "The number of rows is not as stated or expected; see in the evidence which are missing, then collect again or mend the file.",
            },
            Reason::PageLoop => Sentence {
                vi: "Các trang của danh sách lặp lại nhau; kiểm tra cách đánh số trang trong tệp thu, có thể nguồn đã đổi.",
                en: "Pages of the list repeat each other; check how the collector numbers pages, the source may have changed.",
            },
            Reason::PageLimit => Sentence {
                vi: "Danh sách có nhiều trang hơn giới hạn; nếu số lượng đó là thật thì tăng giới hạn số trang trong tệp thu.",
                en: "The list has more pages than the limit; if that many are real, raise the limit of pages in the collector.",
            },
            Reason::UnmappedUnit => Sentence {
                vi: "Có mã đơn vị chưa có trong bảng mã; xác định đơn vị đó, rồi bổ sung vào registry/codes.",
                en: "A unit's code is not in the code map; find out which unit it is, then add it to registry/codes.",
            },
            Reason::DuplicateKey => Sentence {
                vi: "Hai dòng trùng khóa nên không biết dòng nào đúng; xem minh chứng, rồi bổ sung item hoặc key trong tệp thu.",
                en: "Two rows have one key, so that neither can be trusted; look at the evidence, then add item or key in the collector.",
            },
            Reason::Gate => Sentence {
                vi: "Cổng kiểm không chấp nhận câu trả lời nên số liệu bị giữ lại; xem cổng nào báo và đối chiếu với nguồn.",
                en: "A gate refused the answer and its values are kept apart; see which gate and compare with the source.",
            },
            Reason::OwnNetwork => Sentence {
                vi: "Mạng của máy này không thông, không phải lỗi của nguồn; kiểm tra đường truyền, rồi chạy lại.",
                en: "This machine's own network is down, the source is not at fault; check the line, then run again.",
            },
            Reason::TlsUnsupported => Sentence {
                vi: "Chương trình không hỗ trợ phiên bản TLS cũ của nguồn nên không biết nguồn chạy hay không; hỏi nguồn về TLS 1.2 trở lên.",
                en: "We cannot speak the source's old TLS, so whether it works is unknown; ask its owner for TLS 1.2 or later.",
            },
            Reason::CircuitOpen => Sentence {
                vi: "Tạm ngừng hỏi nguồn sau nhiều lần thất bại liên tiếp; chương trình sẽ tự thử lại, xem lý do của các lượt trước.",
                en: "The source is left alone for a while after failures in a row; it is tried again by itself, see the reasons of earlier runs.",
            },
            Reason::Deadline => Sentence {
                vi: "Lượt thu hết thời gian trước khi xong yêu cầu này; tăng limits.run hoặc rate của tệp thu, hoặc chia tệp thu ra.",
                en: "The run's time was up before this request was done; raise limits.run or rate of the collector, or split it.",
            },
            Reason::Cancelled => Sentence {
                vi: "Không hỏi tiếp vì yêu cầu trước trong lượt này đã bị từ chối; xử lý lý do của yêu cầu đó trước.",
                en: "Not asked, because an earlier request of this run was refused; deal with the reason of that one first.",
            },
            Reason::Interrupted => Sentence {
                vi: "Chương trình dừng khi lượt thu đang chạy; lượt này sẽ được làm lại, không cần xử lý nếu việc dừng là chủ ý.",
                en: "The program stopped while the run was at work; the run is made again, nothing to do if the stop was meant.",
            },
            Reason::Store => Sentence {
                vi: "Không ghi được vào cơ sở dữ liệu hoặc kho minh chứng; kiểm tra dung lượng đĩa, quyền ghi và máy chủ cơ sở dữ liệu.",
                en: "Database or evidence archive could not be written; check disk space, permissions and the database server.",
            },
            Reason::Config => Sentence {
                vi: "Tệp thu hoặc cài đặt chưa cho phép thực hiện yêu cầu; đọc nội dung lỗi và sửa đúng chỗ được nêu.",
                en: "Collector or settings do not allow the request; read the error's text and correct the place that it names.",
            },
            Reason::Internal => Sentence {
                vi: "Lỗi của chính chương trình, không phải của nguồn; gửi nội dung lỗi này cho người phát triển thuocdo.",
                en: "A fault of this program itself, not of the source; send this error to the developers of thuocdo.",
            },
        }
    }
}
