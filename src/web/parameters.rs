//! Parameters of addresses, parsed at the edge: what is wrong is named, with what to write instead.

use crate::model::{Period, Sha256, Ts};
use crate::score::criteria::CriteriaSet;
use crate::serve::Live;

use super::refusal::Refusal;

/// The query of a call of the API: each key known, each given once.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Of a query.
    ///
    /// # Errors
    /// A key that is not among the known ones, or that is given twice.
    pub fn of(query: Option<&str>, known: &[&str]) -> Result<Parameters, Refusal> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        for (at, (key, _)) in pairs.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                let known = known.join(", ");
                return Err(Refusal::bad(
                    format!("Không có tham số {key:?}; các tham số là {known}."),
                    format!("There is no parameter {key:?}; there are {known}."),
                ));
            }
            if pairs[..at].iter().any(|(other, _)| other == key) {
                return Err(Refusal::bad(
                    format!("Tham số {key} được ghi hai lần; chỉ giữ lại một."),
                    format!("The parameter {key} is given twice; keep one."),
                ));
            }
        }
        Ok(Parameters(pairs))
    }

    /// As written.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(of, _)| of == key).map(|(_, value)| value.as_str())
    }

    /// One that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn needed(&self, key: &str, example: &str) -> Result<&str, Refusal> {
        self.get(key).ok_or_else(|| {
            Refusal::bad(
                format!("Thiếu tham số {key}; thêm vào, ví dụ {key}={example}."),
                format!("The parameter {key} is missing; add it, like {key}={example}."),
            )
        })
    }

    /// A whole number from 1 to `most`.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, key: &str, otherwise: i64, most: i64) -> Result<i64, Refusal> {
        let Some(text) = self.get(key) else { return Ok(otherwise) };
        text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
            Refusal::bad(
                format!("{key}={text:?} không phải số nguyên từ 1 đến {most}."),
                format!("{key}={text:?} is no whole number from 1 to {most}."),
            )
        })
    }
}

/// A period.
///
/// # Errors
/// It is none.
pub(super) fn period(text: &str) -> Result<Period, Refusal> {
    text.parse().map_err(|error| {
        Refusal::bad(format!("{text:?} không phải là kỳ: viết 2026, 2026-Q3, 2026-09 hoặc 2026-09-26."), format!("{error}."))
    })
}

/// A moment of knowledge: nobody knows what will be recorded later.
///
/// # Errors
/// It is none, or it is not there yet.
pub(super) fn as_of(text: &str, now: Ts) -> Result<Ts, Refusal> {
    let at: Ts = text.parse().map_err(|error| {
        Refusal::bad(
            format!("as_of={text:?} không phải thời điểm RFC 3339: viết như 2026-10-09T06:30:00%2B07:00 hoặc 2026-10-08T23:30:00Z."),
            format!("as_of: {error}; a + in an address is written %2B."),
        )
    })?;
    if at > now {
        return Err(Refusal::bad(
            format!("as_of={at} ở tương lai (bây giờ là {now}): chọn thời điểm đã qua, hoặc bỏ as_of."),
            format!("as_of={at} lies in the future (it is {now} now): choose a moment that has passed, or leave as_of out."),
        ));
    }
    Ok(at)
}

/// A criteria set in force.
///
/// # Errors
/// There is none of that id.
pub(super) fn set<'a>(live: &'a Live, id: &str) -> Result<&'a CriteriaSet, Refusal> {
    let known = || live.catalogue.criteria.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    live.catalogue.criteria.get(id).ok_or_else(|| {
        Refusal::not_found(
            format!("Không có bộ tiêu chí {id:?}; các bộ là {}.", known()),
            format!("There is no criteria set {id:?}; there are {}.", known()),
        )
    })
}

/// The address of evidence.
///
/// # Errors
/// It is none.
pub(super) fn sha256(text: &str) -> Result<Sha256, Refusal> {
    Sha256::from_hex(text).ok_or_else(|| {
        Refusal::bad(
            format!("{text:?} không phải SHA-256: viết đủ 64 chữ số thập lục phân, chữ thường."),
            format!("{text:?} is no SHA-256: write 64 hexadecimal digits, lower case."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_and_given_once() {
        let known = ["set", "limit"];
        let refused =
            |query: &str| Parameters::of(Some(query), &known).err().map(|refusal| refusal.text(crate::score::explain::Lang::En).to_owned());
        assert_eq!(refused("st=1").as_deref(), Some("There is no parameter \"st\"; there are set, limit."));
        assert_eq!(refused("set=1&set=2").as_deref(), Some("The parameter set is given twice; keep one."));
        let right = Parameters::of(Some("set=a%20b&limit=7"), &known).expect("known keys");
        assert_eq!((right.get("set"), right.number("limit", 5, 10).ok()), (Some("a b"), Some(7)));
        for limit in ["0", "11", "-1", "x", ""] {
            let query = format!("limit={limit}");
            assert!(Parameters::of(Some(&query), &known).expect("a known key").number("limit", 5, 10).is_err(), "{limit}");
        }
    }

    #[test]
    fn no_moment_of_the_future() {
        let now: Ts = "2026-11-24T00:00:00Z".parse().expect("an instant");
        assert_eq!(as_of("2026-11-24T07:00:00+07:00", now), Ok(now));
        assert!(as_of("2026-11-24T00:00:01Z", now).is_err() && as_of("2026-11-24", now).is_err());
    }
}
