//! Extension fields: JSON on the outside, a list of typed keys and values on the wire (wire-3x §4.3).
//!
//! Parsed once at the edge, so that the rest of the core never meets an ext that cannot be sent.

use fixtures::wire::KeyValue;
use fixtures::wire::key_value::{Value as WireValue, ValueType};
use serde_json::{Map, Number, Value};

use crate::error::CommandError;

/// The `ext` of a message: any JSON under string keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ext(Map<String, Value>);

impl Ext {
    /// Takes an object as it is. `null` and everything else that is not an object is refused.
    pub fn from_json(json: Value) -> Result<Self, CommandError> {
        match json {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null => Err(CommandError::ExtNull),
            other => Err(CommandError::ExtNotObject { found: kind_of(&other) }),
        }
    }

    /// The fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// As a JSON object.
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }

    pub(crate) fn to_wire(&self) -> Vec<KeyValue> {
        self.0.iter().map(|(key, value)| to_key_value(key, value)).collect()
    }

    pub(crate) fn from_wire(list: &[KeyValue]) -> Result<Self, ExtError> {
        fields_from_wire(list).map(Self)
    }
}

/// The `customExts` of a custom message: strings under string keys (clause send.custom).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomExts(Vec<(String, String)>);

impl CustomExts {
    /// Takes an object whose values are strings; anything else is refused.
    pub fn from_json(json: Value) -> Result<Self, CommandError> {
        let Value::Object(fields) = json else {
            return Err(CommandError::CustomExtsNotObject { found: kind_of(&json) });
        };
        let pairs = fields.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            other => Err(CommandError::CustomExtNotString { key, found: kind_of(&other) }),
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn to_wire(&self) -> Vec<KeyValue> {
        let pairs = self.0.iter();
        pairs.map(|(key, text)| entry(key, ValueType::String, WireValue::StringValue(text.clone()))).collect()
    }
}

/// A key whose value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of {key:?} cannot be read: {reason}")]
pub(crate) struct ExtError {
    key: String,
    reason: String,
}

/// Reads a list of keys and values; of a key that comes twice the last counts, as in JSON.
pub(crate) fn fields_from_wire(list: &[KeyValue]) -> Result<Map<String, Value>, ExtError> {
    let mut fields = Map::new();
    for pair in list {
        let key = pair.key.clone().unwrap_or_default();
        match from_key_value(pair) {
            Ok(value) => fields.insert(key, value),
            Err(reason) => return Err(ExtError { key, reason }),
        };
    }
    Ok(fields)
}

fn to_key_value(key: &str, value: &Value) -> KeyValue {
    match value {
        Value::Bool(flag) => entry(key, ValueType::Bool, WireValue::VarintValue(i64::from(*flag))),
        Value::String(text) => entry(key, ValueType::String, WireValue::StringValue(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => entry(key, ValueType::Int, WireValue::VarintValue(integer)),
            (None, Some(double)) if number.is_f64() => {
                entry(key, ValueType::Double, WireValue::DoubleValue(double))
            }
            // Above 2^63: neither an int64 nor a double holds it, so it travels as text.
            (None, _) => json_entry(key, value),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => json_entry(key, value),
    }
}

fn json_entry(key: &str, value: &Value) -> KeyValue {
    entry(key, ValueType::JsonString, WireValue::StringValue(value.to_string()))
}

fn entry(key: &str, kind: ValueType, value: WireValue) -> KeyValue {
    KeyValue { key: Some(key.to_owned()), r#type: Some(kind.into()), value: Some(value) }
}

/// A value that is not there reads as that of its type in proto2: the 3.x SDK sends `undefined` as a DOUBLE
/// without a value, which reads as 0.
fn from_key_value(pair: &KeyValue) -> Result<Value, String> {
    let kind = match pair.r#type {
        Some(number) => {
            ValueType::try_from(number).map_err(|_| format!("there is no value type {number}"))?
        }
        None => match pair.value {
            Some(WireValue::VarintValue(_)) => ValueType::Int,
            Some(WireValue::FloatValue(_)) => ValueType::Float,
            Some(WireValue::DoubleValue(_)) => ValueType::Double,
            Some(WireValue::StringValue(_)) => ValueType::String,
            None => return Err("it has neither type nor value".to_owned()),
        },
    };
    match (kind, &pair.value) {
        (ValueType::Bool, Some(WireValue::VarintValue(number))) => Ok(Value::Bool(*number != 0)),
        (ValueType::Bool, None) => Ok(Value::Bool(false)),
        (ValueType::Int | ValueType::Uint | ValueType::Llint, Some(WireValue::VarintValue(number))) => {
            Ok(Value::from(*number))
        }
        (ValueType::Int | ValueType::Uint | ValueType::Llint, None) => Ok(Value::from(0)),
        (ValueType::Float, Some(WireValue::FloatValue(number))) => Ok(double(f64::from(*number))),
        (ValueType::Double, Some(WireValue::DoubleValue(number))) => Ok(double(*number)),
        (ValueType::Float | ValueType::Double, None) => Ok(Value::from(0)),
        (ValueType::String, Some(WireValue::StringValue(text))) => Ok(Value::String(text.clone())),
        (ValueType::String, None) => Ok(Value::String(String::new())),
        (ValueType::JsonString, Some(WireValue::StringValue(text))) => {
            serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
        }
        (kind, value) => Err(format!("type {} does not go with {value:?}", kind.as_str_name())),
    }
}

/// JSON has no NaN and no infinity; JavaScript writes them as null.
fn double(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn kind_of(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::string(json!("str"), ValueType::String, WireValue::StringValue("str".into()))]
    #[case::empty(json!(""), ValueType::String, WireValue::StringValue(String::new()))]
    #[case::yes(json!(true), ValueType::Bool, WireValue::VarintValue(1))]
    #[case::no(json!(false), ValueType::Bool, WireValue::VarintValue(0))]
    #[case::negative(json!(-7), ValueType::Int, WireValue::VarintValue(-7))]
    #[case::big(json!(9007199254740991_i64), ValueType::Int, WireValue::VarintValue(9007199254740991))]
    #[case::fraction(json!(1.5), ValueType::Double, WireValue::DoubleValue(1.5))]
    #[case::object(json!({"k2": {"k3": "v"}}), ValueType::JsonString, WireValue::StringValue(r#"{"k2":{"k3":"v"}}"#.into()))]
    #[case::array(json!([1, "a"]), ValueType::JsonString, WireValue::StringValue(r#"[1,"a"]"#.into()))]
    #[case::inner_null(json!(null), ValueType::JsonString, WireValue::StringValue("null".into()))]
    #[case::beyond_int64(json!(u64::MAX), ValueType::JsonString, WireValue::StringValue(u64::MAX.to_string()))]
    fn values_travel_under_the_type_of_the_table(
        #[case] value: Value,
        #[case] kind: ValueType,
        #[case] wire: WireValue,
    ) {
        let sent = to_key_value("k", &value);
        assert_eq!(sent, entry("k", kind, wire));
        assert_eq!(from_key_value(&sent), Ok(value));
    }

    #[rstest]
    #[case::undefined(ValueType::Double, None, json!(0))]
    #[case::float(ValueType::Float, Some(WireValue::FloatValue(0.5)), json!(0.5))]
    #[case::uint(ValueType::Uint, Some(WireValue::VarintValue(3)), json!(3))]
    #[case::long(ValueType::Llint, Some(WireValue::VarintValue(-3)), json!(-3))]
    #[case::not_a_number(ValueType::Double, Some(WireValue::DoubleValue(f64::NAN)), json!(null))]
    fn what_other_clients_send_is_read(
        #[case] kind: ValueType,
        #[case] value: Option<WireValue>,
        #[case] shown: Value,
    ) {
        let pair = KeyValue { key: Some("k".into()), r#type: Some(kind.into()), value };
        assert_eq!(from_key_value(&pair), Ok(shown));
    }

    #[rstest]
    #[case::cut_json(Some(8), Some(WireValue::StringValue("{".into())))]
    #[case::unknown_type(Some(99), Some(WireValue::VarintValue(1)))]
    #[case::type_and_value_differ(Some(7), Some(WireValue::VarintValue(1)))]
    #[case::nothing(None, None)]
    fn what_cannot_be_read_names_its_key(#[case] kind: Option<i32>, #[case] value: Option<WireValue>) {
        let pair = KeyValue { key: Some("culprit".into()), r#type: kind, value };
        let error = Ext::from_wire(&[pair]).expect_err("it should not be readable");
        assert!(error.to_string().contains("culprit"), "{error}");
    }

    #[rstest]
    #[case::null(json!(null), "ext must not be null: leave it out, or give an object")]
    #[case::array(json!([1]), "ext must be a JSON object, not an array")]
    #[case::text(json!("x"), "ext must be a JSON object, not a string")]
    fn an_ext_that_is_no_object_is_refused(#[case] json: Value, #[case] message: &str) {
        assert_eq!(Ext::from_json(json).map_err(|error| error.to_string()), Err(message.to_owned()));
    }

    #[rstest]
    #[case::number(json!({"a": "1", "n": 5}), "customExts.n must be a string, not a number")]
    #[case::null(json!({"n": null}), "customExts.n must be a string, not null")]
    #[case::list(json!([]), "customExts must be a JSON object of strings, not an array")]
    fn custom_exts_hold_strings_only(#[case] json: Value, #[case] message: &str) {
        assert_eq!(CustomExts::from_json(json).map_err(|error| error.to_string()), Err(message.to_owned()));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(double),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_arrives_equal(fields in prop::collection::btree_map(".{0,6}", any_json(), 0..6)) {
            let ext = Ext(fields.into_iter().collect());
            prop_assert_eq!(Ext::from_wire(&ext.to_wire()), Ok(ext));
        }
    }
}
