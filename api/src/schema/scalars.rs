//! Scalars of our own.

use std::fmt;

use async_graphql::{InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, Datelike, SecondsFormat, Utc};
use playhead_commands::Position as LogPosition;

use crate::position;

/// The longest span of time: 1,000 hours.
const MILLISECONDS_MAX: u64 = 1_000 * 3_600_000;

/// A span of time in milliseconds: a whole number from 0 to 3,600,000,000, which is more than an
/// `Int` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Milliseconds(pub(crate) u64);

/// A span of time in milliseconds: a whole number from 0 to 3,600,000,000.
#[Scalar]
impl ScalarType for Milliseconds {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        let rule = "a whole number from 0 to 3,600,000,000";
        match number.filter(|number| *number <= MILLISECONDS_MAX) {
            Some(number) => Ok(Self(number)),
            None => Err(InputValueError::custom(rule)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        let number = match value {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        number.is_some_and(|number| number <= MILLISECONDS_MAX)
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0))
    }
}

/// The years that RFC 3339 can write.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9_999;
const NANOS_OF_A_SECOND: u32 = 1_000_000_000;

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) i64);

/// A moment as RFC 3339 writes it, in UTC, with milliseconds: 2026-11-21T02:06:47.123Z. In the years
/// 0000 to 9999, and in no leap second.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let moment = ChronoDateTime::parse_from_rfc3339(text);
        let moment = moment.map_err(|_| InputValueError::custom("a moment as of RFC 3339"))?;
        // A leap second is told by a fraction beyond one. Milliseconds since 1970 have no place for
        // it: it would be another moment.
        if moment.timestamp_subsec_nanos() >= NANOS_OF_A_SECOND {
            return Err(InputValueError::custom("a moment in no leap second"));
        }
        if !YEARS.contains(&moment.to_utc().year()) {
            return Err(InputValueError::custom("a moment in the years 0000 to 9999 in UTC"));
        }
        Ok(Self(moment.timestamp_millis()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// As clients read it, for messages.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let far = if self.0 < 0 {
            ChronoDateTime::<Utc>::MIN_UTC
        } else {
            ChronoDateTime::<Utc>::MAX_UTC
        };
        let moment = ChronoDateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(far);
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position(pub(crate) LogPosition);

/// A place in the log, opaque. Sent back in the request header Playhead-Position it makes a query
/// wait until it sees everything up to there.
#[Scalar]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let position = position::decode(text).map(Self);
        position.ok_or_else(|| InputValueError::custom("a position of this service"))
    }

    fn to_value(&self) -> Value {
        Value::String(position::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_whole_and_bounded() {
        let parse = |value: Value| Milliseconds::parse(value).ok().map(|ms| ms.0);
        let number = |number: f64| Value::from(number);
        assert_eq!(parse(Value::from(3_600_000_000_u64)), Some(3_600_000_000));
        assert_eq!(parse(Value::from(0)), Some(0));
        for value in
            [Value::from(3_600_000_001_u64), Value::from(-1), number(1.5), Value::from("1")]
        {
            assert_eq!(parse(value), None);
        }
    }

    #[test]
    fn moments_are_written_in_utc_with_milliseconds() {
        let text = |ms| DateTime(ms).to_value();
        assert_eq!(text(0), Value::from("1970-01-01T00:00:00.000Z"));
        assert_eq!(text(1_800_000_000_007), Value::from("2027-01-15T08:00:00.007Z"));
        assert!(matches!(text(i64::MAX), Value::String(_)), "and never fail");
        let parsed = DateTime::parse(Value::from("2027-01-15T09:00:00.007+01:00")).ok();
        assert_eq!(parsed, Some(DateTime(1_800_000_000_007)));
    }

    #[test]
    fn moments_that_cannot_be_written_are_refused_with_the_rule() {
        let (leap, years) = ("in no leap second", "in the years 0000 to 9999 in UTC");
        for (text, rule) in [
            ("9999-12-31T23:59:59.999Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("9999-12-31T23:59:60Z", Some(leap)),
            ("2016-12-31T23:59:60.5Z", Some(leap)),
            ("9999-12-31T23:59:59-00:01", Some(years)),
            ("0000-01-01T00:00:00+00:01", Some(years)),
            ("+10000-01-01T00:00:00Z", Some("as of RFC 3339")),
        ] {
            let refused = DateTime::parse(Value::from(text)).err();
            let said = refused.map(|error| error.into_server_error(Default::default()).message);
            assert_eq!(said.is_some(), rule.is_some(), "{text}");
            assert!(said.unwrap_or_default().ends_with(rule.unwrap_or("")), "{text}");
        }
    }
}
