//! The document system's statistics page: an HTML table with totals mixed in, `1.234` thousands and dd/MM/yyyy.

use std::fmt::Write;

use super::counts::Documents;
use super::figures::{Body, Figures, SIMULATED};
use crate::model::{Period, UnitGroup};

const HEADINGS: [&str; 11] = [
    "STT",
    "Mã đơn vị",
    "Tên đơn vị",
    "Văn bản đi",
    "Văn bản đi ký số",
    "Văn bản phải gửi qua trục",
    "Văn bản gửi qua trục",
    "Hồ sơ công việc",
    "Hồ sơ công việc xử lý trên mạng",
    "Nhiệm vụ đến hạn",
    "Nhiệm vụ hoàn thành đúng hạn",
];

impl Figures {
    /// The page `/thong-ke` for a period.
    pub(super) fn documents_page(&self, period: Period) -> String {
        let bodies = self.children_in(period);
        let row = |body: &&Body| ((*body).clone(), self.counts(body, period).documents);
        let (departments, communes): (Vec<_>, Vec<_>) =
            bodies.iter().map(row).partition(|(body, _)| body.unit.unit_group == UnitGroup::Department);
        let total = self.province_counts(period).documents;
        let mut table = total_row("Tổng cộng", total);
        group(&mut table, "Cộng nhóm sở, ban, ngành", &departments, 0);
        group(&mut table, "Cộng nhóm xã, phường, đặc khu", &communes, departments.len());
        let headings: String = HEADINGS.iter().map(|heading| format!("<th>{heading}</th>")).collect();
        let day = |date: chrono::NaiveDate| date.format("%d/%m/%Y").to_string();
        format!(
            "<!DOCTYPE html>\n<html lang=\"vi\">\n<head><meta charset=\"utf-8\"><title>Thống kê văn bản ({SIMULATED})</title></head>\n\
             <body>\n<h1>Thống kê văn bản, hồ sơ công việc, nhiệm vụ: {SIMULATED}</h1>\n\
             <p>Từ ngày {} đến ngày {}</p>\n<p id=\"cap-nhat\">Số liệu tính đến ngày {}</p>\n\
             <table id=\"thong-ke\">\n<thead><tr>{headings}</tr></thead>\n<tbody>\n{table}</tbody>\n</table>\n</body>\n</html>\n",
            day(period.start()),
            day(period.last()),
            day(self.as_of),
        )
    }
}

/// The rows of a group, then its total.
fn group(table: &mut String, title: &str, rows: &[(Body, Documents)], before: usize) {
    for (at, (body, documents)) in rows.iter().enumerate() {
        table.push_str(&table_row(&(before + at + 1).to_string(), &body.code, &body.unit.name, *documents));
    }
    let sum = rows.iter().fold(Documents::default(), |sum, (_, documents)| sum + *documents);
    table.push_str(&total_row(title, sum));
}

fn total_row(title: &str, documents: Documents) -> String {
    table_row("", "", title, documents)
}

fn table_row(stt: &str, code: &str, name: &str, d: Documents) -> String {
    let mut row = format!("<tr><td>{stt}</td><td>{}</td><td>{}</td>", escaped(code), escaped(name));
    for count in [d.outgoing, d.esigned, d.axis_due, d.axis, d.workfiles, d.workfiles_online, d.tasks_due, d.tasks_on_time] {
        write!(row, "<td class=\"so\">{}</td>", thousands(count)).expect("a String takes every write");
    }
    row.push_str("</tr>\n");
    row
}

/// 1234567 as Vietnamese pages write it: 1.234.567.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_points() {
        for (count, want) in [(0, "0"), (999, "999"), (1_234, "1.234"), (1_234_567, "1.234.567")] {
            assert_eq!(thousands(count), want);
        }
    }
}
