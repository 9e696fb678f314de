//! Who a collector is to its source: references to secrets, never the secrets.

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Who we are to the source.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// User name.
        user: Secret,
        /// Password.
        password: Secret,
    },
    /// A header of the source's own.
    ApiKey {
        /// Its name.
        header: String,
        /// Its value.
        value: Secret,
    },
}

/// A reference to a secret, never the secret: the environment variable `THUOCDO_SECRET_<NAME>` or a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its name, like `npsp/token`.
    pub secret: String,
    /// The last day on which it is valid, so that it is renewed in time; `None` if it does not expire or nobody said.
    #[serde(default, deserialize_with = "day")]
    pub expires: Option<NaiveDate>,
}

impl Auth {
    /// Every secret that it names.
    pub fn secrets(&self) -> Vec<&Secret> {
        match self {
            Auth::Bearer(token) => vec![token],
            Auth::Basic { user, password } => vec![user, password],
            Auth::ApiKey { header: _, value } => vec![value],
        }
    }
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The calendar's own reader takes 2027-1-31 too, which other readers of the file may not.
    let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|day| day.format("%Y-%m-%d").to_string() == text);
    day.map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no day; write year, month and day, like \"2027-01-31\"")))
}

/// Whether a header of this name says who asks.
pub(super) fn is_credential(name: &str) -> bool {
    let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    ["authorization", "cookie", "apikey", "token", "secret", "password", "credential"].iter().any(|word| name.contains(word))
}
