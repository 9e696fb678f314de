//! `explain`: from the points of a line down to the runs its figures came from, in words.

mod written;

use serde::Serialize;

use super::criteria::{Status, WhenEmpty};
use super::rule::{Role, Rule, Why};
use written::{grouped, shortened};

use super::sheet::{Covered, Input, Line, LineState, Points, Sheet, Source};
use crate::model::{Exact, Period, RunId, Ts, Value};

/// The language of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Vietnamese, with 1.234,5 as numbers are written there.
    Vi,
    /// English, with 1,234.5.
    En,
}

/// One step of an explanation and the steps it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What holds, as one sentence.
    pub text: String,
    /// For a value: the run and request that brought it.
    pub origin: Option<ValueOrigin>,
    /// What it rests on.
    pub because: Vec<Explanation>,
}

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueOrigin {
    /// Indicator id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// Item, "" for none.
    pub item: String,
    /// What the value is about.
    pub period: Period,
    /// The value as recorded.
    pub value: Value,
    /// The run that first saw it.
    pub run: RunId,
    /// Which request of that run.
    pub request: i32,
    /// The bytes it was read from: the caller fills it in, since only the store and the archive know them.
    pub evidence: Option<Evidence>,
}

/// The bytes that a value was read from, read once more for the explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// SHA-256 of the answer.
    pub sha256: String,
    /// The request: method, address and body.
    pub asked: String,
    /// When it was made.
    pub at: Ts,
    /// HTTP status; `None` for a file.
    pub status: Option<i32>,
    /// Where in the answer the value stands, and the text there; `None` if it is not found there any more.
    pub place: Option<(String, String)>,
    /// What reading it once more gives there; `None` if it is not found there any more.
    pub value_now: Option<Value>,
    /// A sentence, unless the recorded value is read there.
    pub warning: Option<String>,
}

/// Says that bytes read once more do not give the recorded value, with both; `None` when they do.
pub fn reread_warning(recorded: Value, now: Option<Value>, lang: Lang) -> Option<String> {
    let words = Words(lang);
    let said = |value: Value| words.stated(value.number());
    match now {
        Some(now) if now == recorded => None,
        Some(now) => Some(match lang {
            Lang::Vi => format!("KHÔNG khớp: đọc lại là: {}; đã ghi nhận: {}", said(now), said(recorded)),
            Lang::En => format!("DIFFERS: read once more: {}; recorded: {}", said(now), said(recorded)),
        }),
        None => Some(match lang {
            Lang::Vi => format!(
                "KHÔNG đọc lại được giá trị này bằng bảng mã và danh mục đơn vị hiện nay (byte còn nguyên hay không: xem lệnh verify); đã ghi nhận: {}",
                said(recorded)
            ),
            Lang::En => format!(
                "NOT FOUND with today's code maps and registry (whether the bytes are whole: see verify); recorded: {}",
                said(recorded)
            ),
        }),
    }
}

impl Explanation {
    fn leaf(text: String) -> Explanation {
        Explanation { text, origin: None, because: Vec::new() }
    }

    /// Every value's origin in the tree, so that the caller can attach the evidence.
    pub fn origins_mut(&mut self) -> Vec<&mut ValueOrigin> {
        let own = self.origin.as_mut();
        own.into_iter().chain(self.because.iter_mut().flat_map(Explanation::origins_mut)).collect()
    }
}

/// Explains one line of a sheet about a period: points ← formula with its figures ← inputs ← values ← run and request.
pub fn explain(period: Period, sheet: &Sheet<'_>, line: &Line<'_>, lang: Lang) -> Explanation {
    let words = Words(lang);
    let title = words.pick(&line.title.vi, &line.title.en);
    let text = format!("{}: {} {}, {}", sheet.name, line.criterion, title, words.points(line));
    let mut because = vec![Explanation { text: words.formula(line), origin: None, because: words.inputs(period, line) }];
    because.push(Explanation::leaf(words.basis(line)));
    for control in &line.controls {
        because.push(Explanation {
            text: words.control(control.value, control.agrees, control.collector),
            origin: line.definition.control.as_ref().map(|of| ValueOrigin {
                indicator: of.of.clone(),
                unit: sheet.unit.to_owned(),
                item: of.item.clone(),
                period,
                value: control.value.map_or(Value::Missing, Value::Number),
                run: control.run.clone(),
                request: control.request,
                evidence: None,
            }),
            because: Vec::new(),
        });
    }
    Explanation { text, origin: None, because }
}

/// The words of a language for the parts of a sheet; pages use the same ones.
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    pub(crate) fn pick<'t>(&self, vi: &'t str, en: &'t str) -> &'t str {
        match self.0 {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    pub(crate) fn number(&self, value: Exact) -> String {
        grouped(&value.to_string(), self.0)
    }

    /// Points always with two decimals.
    pub(crate) fn point(&self, value: Exact) -> String {
        grouped(&value.fixed(2), self.0)
    }

    pub(crate) fn points(&self, line: &Line<'_>) -> String {
        let max = self.number(line.max);
        match (line.state, line.points) {
            (LineState::NotApplicable, _) | (_, None) => {
                format!(
                    "{} ({} {max})",
                    self.pick("không áp dụng, không cộng điểm", "not applicable, adds nothing"),
                    self.pick("tối đa", "maximum")
                )
            }
            (_, Some(Points::Known(points))) => format!("{} / {max} {}", self.point(points), self.pick("điểm", "points")),
            (state, Some(Points::Between(least, most))) => {
                let (least, most) = (self.point(least), self.point(most));
                format!(
                    "{} {least} {} {most} / {max} {} ({})",
                    self.pick("từ", "from"),
                    self.pick("đến", "to"),
                    self.pick("điểm", "points"),
                    self.state(state)
                )
            }
        }
    }

    pub(crate) fn state(&self, state: LineState) -> &'static str {
        match state {
            LineState::Scored => self.pick_static("đã chấm", "scored"),
            LineState::NotApplicable => self.pick_static("không áp dụng", "not applicable"),
            LineState::NoEvidence => self.pick_static("chưa có minh chứng", "no evidence"),
            LineState::Partial => self.pick_static("mới có một phần số liệu", "only some figures are known"),
            LineState::Disputed => self.pick_static("các nguồn cho số khác nhau", "sources differ"),
        }
    }

    fn pick_static(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// The formula with the figures put in.
    pub(crate) fn formula(&self, line: &Line<'_>) -> String {
        if let Some(why) = line.why {
            return self.why(why).to_owned();
        }
        match &line.definition.rule {
            Rule::Constant(points) => format!("{} {}", self.pick("mọi đơn vị được", "every unit gets"), self.point(*points)),
            Rule::Published { .. } => {
                self.pick("điểm do nguồn công bố, không tính lại", "the source's own points, not recomputed").to_owned()
            }
            Rule::Declared => self.pick("điểm do người thẩm định nhập", "points entered by a reviewer").to_owned(),
            Rule::Flag { .. } => self.pick("1: điểm tối đa; 0: không điểm", "1 earns the maximum, 0 nothing").to_owned(),
            Rule::Ratio { .. } | Rule::Ramp { .. } | Rule::Bands { .. } => self.quotient(line),
        }
    }

    fn quotient(&self, line: &Line<'_>) -> String {
        let (Some(n), d) = (line.formula.numerator, line.formula.denominator) else {
            return self.state(line.state).to_owned();
        };
        let divides = line.definition.rule.quotient().is_some_and(|of| !of.over.is_empty());
        match (d, line.points) {
            (None, _) if divides => self.state(line.state).to_owned(),
            (Some(d), _) if d.is_zero() => self.empty(line.definition.when_empty),
            (d, Some(Points::Known(points))) => match &line.definition.rule {
                Rule::Ratio { .. } => self.ratio(line, n, d.unwrap_or(Exact::ONE), points),
                Rule::Ramp { .. }
                | Rule::Bands { .. }
                | Rule::Flag { .. }
                | Rule::Constant(_)
                | Rule::Published { .. }
                | Rule::Declared => self.scale(line, n, d, points),
            },
            (_, Some(Points::Between(..)) | None) => self.state(line.state).to_owned(),
        }
    }

    /// `20 × 1.652 / 2.270 = 14,5550… → 14,56 (làm tròn nửa lên 0,01)`
    fn ratio(&self, line: &Line<'_>, n: Exact, d: Exact, points: Exact) -> String {
        let target = line.formula.full_at.unwrap_or(Exact::ONE);
        let below = if target == Exact::ONE { self.number(d) } else { format!("({} × {})", self.number(d), self.number(target)) };
        let exact = Exact::quotient_half_up(&[line.max, n], &[d, target], 8);
        let (max, points) = (self.number(line.max), self.point(points));
        let capped = exact.is_ok_and(|exact| exact > line.max);
        let exact = exact.map_or_else(|_| "…".to_owned(), |exact| grouped(&shortened(exact), self.0));
        let how = match (line.definition.round, line.formula.percent) {
            _ if capped => self.pick("đạt chỉ tiêu: điểm tối đa", "target reached: the maximum").to_owned(),
            (super::round::Model::PercentBinary64, Some(percent)) => {
                let percent = self.number(percent);
                match self.0 {
                    Lang::Vi => format!("tính từ tỷ lệ đã làm tròn {percent} %, như Cổng"),
                    Lang::En => format!("from the rounded {percent} %, as the portal does"),
                }
            }
            (super::round::Model::PercentBinary64 | super::round::Model::HalfUp, _) => {
                self.pick("làm tròn nửa lên 0,01", "half-up to 0.01").to_owned()
            }
        };
        format!("{max} × {} / {below} = {exact} → {points} ({how})", self.number(n))
    }

    /// A ramp or bands: the value on its scale.
    fn scale(&self, line: &Line<'_>, n: Exact, d: Option<Exact>, points: Exact) -> String {
        let value = d.map_or_else(|| self.number(n), |d| format!("{} / {}", self.number(n), self.number(d)));
        let scale = match (line.formula.zero_at, line.formula.full_at) {
            (Some(zero), Some(full)) => {
                format!(
                    "0 {} {}, {} {} {}",
                    self.pick("điểm tại", "points at"),
                    self.number(zero),
                    self.number(line.max),
                    self.pick("điểm tại", "points at"),
                    self.number(full)
                )
            }
            (None | Some(_), None) | (None, Some(_)) => self.pick("theo bậc", "by bands").to_owned(),
        };
        format!("{value} → {} ({scale})", self.point(points))
    }

    fn empty(&self, when_empty: Option<WhenEmpty>) -> String {
        let worth = match when_empty {
            Some(WhenEmpty::Full) => self.pick("điểm tối đa", "the maximum"),
            Some(WhenEmpty::Zero) => self.pick("tính 0 điểm", "nothing"),
            Some(WhenEmpty::Null) | None => self.pick("không áp dụng", "not applicable"),
        };
        format!("0 / 0: {worth}")
    }

    fn why(&self, why: Why) -> &str {
        match why {
            Why::NoInput => self.pick("chưa thu được số liệu được tính", "no value that counts was recorded"),
            Why::StatedMissing => self.pick("nguồn công bố không có số liệu", "the source states that it has no value"),
            Why::ZeroDenominator => self.pick("tử số khác 0 mà mẫu số bằng 0", "something was counted out of nothing"),
            Why::Negative => self.pick("số đếm âm", "a count is negative"),
            Why::OutOfRange => self.pick("giá trị nằm ngoài khoảng cho phép", "the value lies outside what is possible"),
        }
    }

    pub(crate) fn status(&self, status: Status) -> &'static str {
        match status {
            Status::AsWritten => self.pick_static("theo văn bản", "as written"),
            Status::AsImplemented => self.pick_static("theo cách hệ thống đang tính", "as implemented"),
            Status::Proposed => self.pick_static("đề xuất", "proposed"),
        }
    }

    pub(crate) fn basis(&self, line: &Line<'_>) -> String {
        let status = self.status(line.status);
        format!("{}: {} ({status})", self.pick("Căn cứ", "Basis"), line.cite)
    }

    fn inputs(&self, period: Period, line: &Line<'_>) -> Vec<Explanation> {
        line.inputs.iter().map(|input| self.input(period, input)).collect()
    }

    pub(crate) fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Numerator => self.pick_static("tử số", "numerator"),
            Role::Denominator => self.pick_static("mẫu số", "denominator"),
            Role::Value => self.pick_static("giá trị", "value"),
        }
    }

    fn input(&self, period: Period, input: &Input<'_>) -> Explanation {
        let role = self.role(input.role);
        let item = if input.item.is_empty() { String::new() } else { format!("[{}]", input.item) };
        let none = if input.sources.is_empty() { self.pick(": chưa thu được", ": not recorded") } else { "" };
        let because = input.sources.iter().map(|source| self.source(period, input, source)).collect();
        let covered = input.covered.map(|covered| self.covered(covered)).unwrap_or_default();
        Explanation { text: format!("{role} {}{item}{none}{covered}", input.indicator), origin: None, because }
    }

    /// How much of a period is known, if that is too little.
    fn covered(&self, covered: Covered) -> String {
        let Covered { share, needed } = covered;
        let share = share.unwrap_or_default();
        if share >= needed {
            return String::new();
        }
        let (known, needs) = (self.pick("mới biết", "known is"), self.pick("cần", "needed is"));
        format!(" ({known} {}, {needs} {})", self.percent(share), self.percent(needed))
    }

    /// A share as per cent, at most four decimals.
    fn percent(&self, share: Exact) -> String {
        let hundredfold = Exact::quotient_half_up(&[share, Exact::from(100)], &[Exact::ONE], 4).unwrap_or(share);
        format!("{} %", self.number(hundredfold))
    }

    /// A number, or that the source has none.
    pub(crate) fn stated(&self, value: Option<Exact>) -> String {
        value.map_or_else(|| self.pick("nguồn công bố không có số liệu", "stated as missing").to_owned(), |value| self.number(value))
    }

    fn source(&self, period: Period, input: &Input<'_>, source: &Source<'_>) -> Explanation {
        let value = self.stated(source.value);
        let flag = if source.flag.is_empty() { String::new() } else { format!(" [{}]", source.flag) };
        let counts = if source.counts { "" } else { self.pick(", không dùng để tính", ", does not count here") };
        let known = self.pick("ghi nhận từ", "known since");
        let text = format!(
            "{value}{flag} ← {}, {} {}, {known} {}{counts}",
            source.run,
            self.pick("yêu cầu", "request"),
            source.request,
            source.recorded_at
        );
        Explanation {
            text,
            origin: Some(ValueOrigin {
                indicator: input.indicator.to_owned(),
                unit: input.unit.to_owned(),
                item: input.item.to_owned(),
                period,
                value: source.value.map_or(Value::Missing, Value::Number),
                run: source.run.clone(),
                request: source.request,
                evidence: None,
            }),
            because: Vec::new(),
        }
    }

    pub(crate) fn control(&self, value: Option<Exact>, agrees: Option<bool>, collector: &str) -> String {
        let value = value.map_or_else(|| self.pick("không có điểm", "no points").to_owned(), |value| self.point(value));
        let agrees = match agrees {
            Some(true) => self.pick("khớp", "agrees"),
            Some(false) => self.pick("KHÔNG khớp", "DIFFERS"),
            None => self.pick("chưa so được", "cannot be compared"),
        };
        format!("{} ({collector}): {value}, {agrees}", self.pick("Điểm nguồn công bố", "Published by the source"))
    }
}
