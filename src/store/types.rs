//! How the types of the model stand in columns: the one place that knows the two databases' types.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};

use crate::model::{AlertKind, Told};
use crate::model::{
    Exact, GateOutcome, MissedWhy, Period, Phase, Reason, RequestOutcome, RunState, Severity, Sha256, SlotState, Trigger, Value,
};
use crate::model::{Scope, Ts};

/// A type of the model as a column type of one database: how it goes in, and how it comes out.
macro_rules! column {
    ($model:ty, $db:ty as $inner:ty, $to:expr, $from:expr) => {
        impl Type<$db> for $model {
            fn type_info() -> <$db as Database>::TypeInfo {
                <$inner as Type<$db>>::type_info()
            }

            fn compatible(info: &<$db as Database>::TypeInfo) -> bool {
                <$inner as Type<$db>>::compatible(info)
            }
        }

        impl<'q> Encode<'q, $db> for $model {
            fn encode_by_ref(&self, buffer: &mut <$db as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let to: fn(&$model) -> $inner = $to;
                <$inner as Encode<'q, $db>>::encode(to(self), buffer)
            }
        }

        impl<'r> Decode<'r, $db> for $model {
            fn decode(value: <$db as Database>::ValueRef<'r>) -> Result<$model, BoxDynError> {
                let from: fn($inner) -> Result<$model, String> = $from;
                Ok(from(<$inner as Decode<'r, $db>>::decode(value)?)?)
            }
        }
    };
}

/// A type of the model that is text in both databases.
macro_rules! text_column {
    ($model:ty, $to:expr, $from:expr) => {
        column!($model, Sqlite as String, $to, $from);
        column!($model, Postgres as String, $to, $from);
    };
}

/// A closed set: its labels.
macro_rules! label_column {
    ($($model:ty),+) => {
        $(text_column!($model, |it| it.label().to_owned(), |label| {
            <$model>::from_label(&label).ok_or_else(|| format!("{label:?} is no {}", stringify!($model)))
        });)+
    };
}

// The driver would write chrono's times as text into SQLite, which neither sorts by instant nor is small.
column!(Ts, Sqlite as i64, |ts| ts.micros(), |micros| Ts::from_micros(micros).ok_or_else(|| format!("{micros} µs is no instant")));
column!(Ts, Postgres as DateTime<Utc>, |ts| ts.utc(), |time| Ok(Ts::from(time)));

// SQLite has no decimals; its canonical text is exact, and no statement compares or adds it.
column!(Exact, Sqlite as String, Exact::to_string, |text| text.parse().map_err(|error: crate::model::NotExact| error.to_string()));
column!(Exact, Postgres as Decimal, |exact| exact.decimal(), |decimal| Ok(Exact::new(decimal)));

text_column!(Period, Period::to_string, |text| text.parse().map_err(|error: crate::model::BadPeriod| error.to_string()));
text_column!(Sha256, Sha256::to_string, |hex| Sha256::from_hex(&hex).ok_or_else(|| format!("{hex:?} is no SHA-256")));
text_column!(Scope, |scope| serde_json::to_string(scope).expect("a scope is texts and a map with text keys"), |json| serde_json::from_str(
    &json
)
.map_err(|error| format!("{json:?} is no scope of a request: {error}")));
label_column!(AlertKind, Told, Trigger, RunState, MissedWhy, RequestOutcome, Reason, Severity, GateOutcome, SlotState, Phase);

/// The value that a nullable number stands for.
pub(super) fn value(number: Option<Exact>) -> Value {
    number.map_or(Value::Missing, Value::Number)
}

/// Text from outside as both databases can hold it: PostgreSQL refuses U+0000, so it becomes U+FFFD in both.
pub(super) fn text(from_outside: &str) -> Cow<'_, str> {
    match from_outside.contains('\0') {
        true => Cow::Owned(from_outside.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(from_outside),
    }
}
