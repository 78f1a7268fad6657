//! Message bodies as JSON: what session lists show and webhooks are sent, and what the app's server writes
//! (rest.md Part D, B.4).
//!
//! It turns one form into the other and judges nothing but the form: whether a message may be sent is decided
//! elsewhere.

use fixtures::wire::message_body::{Content, content};
use fixtures::wire::{Jid, KeyValue, MessageBody, key_value, message_body};
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

/// `{"bodies":[…],"ext":{…},"from":…,"to":…}`.
pub(super) fn json(body: &MessageBody) -> Value {
    let name = |jid: &Option<Jid>| jid.as_ref().and_then(|jid| jid.name.clone()).unwrap_or_default();
    json!({
        "bodies": body.contents.iter().map(content_json).collect::<Vec<_>>(),
        "ext": object_of(&body.ext),
        "from": name(&body.from),
        "to": name(&body.to),
    })
}

/// As lists of messages show it to SDKs: 4.x reads `type`, `meta` and `msgConfig` where they are (rest.md Part D).
pub(super) fn listed(body: &MessageBody) -> Value {
    use message_body::Type;
    let mut shown = json(body);
    let kind = match body.r#type.and_then(|kind| Type::try_from(kind).ok()) {
        Some(Type::Normal | Type::Chat) => Some("chat"),
        Some(Type::Groupchat) => Some("groupchat"),
        Some(Type::Chatroom) => Some("chatroom"),
        Some(Type::ReadAck | Type::DeliverAck | Type::Recall | Type::ChannelAck | Type::Edit) | None => None,
    };
    if let Some(kind) = kind {
        shown["type"] = kind.into();
    }
    if let Some(meta) = body.meta.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        shown["meta"] = meta;
    }
    if let Some(config) = &body.msg_config {
        shown["msgConfig"] = json!({ "allowGroupAck": config.allow_group_ack.unwrap_or_default() });
    }
    shown
}

/// What the app's server gives as `type` and `body` of a message; the text says what is wrong with them.
pub(super) fn content_of(kind: &str, body: &Map<String, Value>) -> Result<Content, String> {
    /// The fields of every type; each type reads its own.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        msg: Option<String>,
        url: Option<String>,
        filename: Option<String>,
        secret: Option<String>,
        size: Option<Size>,
        /// In s; the table of the documents spells it with a capital, its example without.
        #[serde(alias = "Length")]
        length: Option<f64>,
        file_length: Option<f64>,
        thumb: Option<String>,
        thumb_secret: Option<String>,
        #[serde(deserialize_with = "degrees")]
        lat: Option<f64>,
        #[serde(deserialize_with = "degrees")]
        lng: Option<f64>,
        addr: Option<String>,
        action: Option<String>,
        #[serde(rename = "customEvent")]
        custom_event: Option<String>,
        #[serde(rename = "customExts")]
        custom_exts: Option<Map<String, Value>>,
    }
    #[derive(Deserialize)]
    struct Size {
        width: f64,
        height: f64,
    }
    let fields: Fields =
        serde_json::from_value(Value::Object(body.clone())).map_err(|error| format!("body: {error}"))?;
    fn need<T>(name: &str, field: Option<T>) -> Result<T, String> {
        field.ok_or_else(|| format!("body.{name} is missing"))
    }
    // As 3.x writes attachments: displayName is the filename, and stands for the thumbnail's too (wire-3x §4.2).
    let attachment = |kind: content::Type, fields: Fields| {
        Ok(Content {
            r#type: Some(kind as i32),
            remote_path: Some(need("url", fields.url)?),
            display_name: Some(fields.filename.unwrap_or_default()),
            secret_key: fields.secret,
            file_length: fields.file_length.map(|bytes| bytes as i32),
            duration: fields.length.map(|length| length as i32),
            size: fields
                .size
                .map(|size| content::Size { width: Some(size.width), height: Some(size.height) }),
            thumbnail_remote_path: fields.thumb,
            thumbnail_secret_key: fields.thumb_secret,
            ..Content::default()
        })
    };
    match kind {
        "txt" => Ok(Content {
            r#type: Some(content::Type::Text as i32),
            text: Some(need("msg", fields.msg)?),
            ..Content::default()
        }),
        "img" => attachment(content::Type::Image, fields),
        "audio" => attachment(content::Type::Voice, fields),
        "video" => attachment(content::Type::Video, fields),
        "file" => attachment(content::Type::File, fields),
        "loc" => Ok(Content {
            r#type: Some(content::Type::Location as i32),
            latitude: Some(need("lat", fields.lat)?),
            longitude: Some(need("lng", fields.lng)?),
            address: Some(need("addr", fields.addr)?),
            ..Content::default()
        }),
        "cmd" => Ok(Content {
            r#type: Some(content::Type::Command as i32),
            action: Some(need("action", fields.action)?),
            ..Content::default()
        }),
        "custom" => Ok(Content {
            r#type: Some(content::Type::Custom as i32),
            custom_event: Some(custom_event(need("customEvent", fields.custom_event)?)?),
            custom_exts: custom_exts(fields.custom_exts.unwrap_or_default())?,
            ..Content::default()
        }),
        other => Err(format!(
            "type {other:?} is unknown; txt, img, audio, video, file, loc, cmd and custom are known"
        )),
    }
}

/// An object as the list that `ext` is on the wire, by the rules of 3.x (wire-3x §4.3).
pub(super) fn key_values(object: &Map<String, Value>) -> Vec<KeyValue> {
    use key_value::{Value as Wire, ValueType};
    let pair = |(key, value): (&String, &Value)| {
        let (kind, value) = match value {
            Value::String(text) => (ValueType::String, Wire::StringValue(text.clone())),
            Value::Bool(yes) => (ValueType::Bool, Wire::VarintValue((*yes).into())),
            Value::Number(number) => match integer(number) {
                Some(integer) => (ValueType::Int, Wire::VarintValue(integer)),
                None => (ValueType::Double, Wire::DoubleValue(number.as_f64().unwrap_or_default())),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => {
                (ValueType::JsonString, Wire::StringValue(value.to_string()))
            }
        };
        KeyValue { key: Some(key.clone()), r#type: Some(kind as i32), value: Some(value) }
    };
    object.iter().map(pair).collect()
}

/// The other way. What was no JSON though it says so stays the text that it is.
pub(super) fn object_of(pairs: &[KeyValue]) -> Map<String, Value> {
    use key_value::{Value as Wire, ValueType};
    let kind = |pair: &KeyValue| pair.r#type.and_then(|kind| ValueType::try_from(kind).ok());
    let value_of = |pair: &KeyValue| match (kind(pair), &pair.value) {
        (Some(ValueType::JsonString), Some(Wire::StringValue(text))) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        (_, Some(Wire::StringValue(text))) => text.as_str().into(),
        (Some(ValueType::Bool), Some(Wire::VarintValue(number))) => (*number != 0).into(),
        (Some(ValueType::Uint), Some(Wire::VarintValue(number))) => (*number).cast_unsigned().into(),
        (_, Some(Wire::VarintValue(number))) => (*number).into(),
        (_, Some(Wire::FloatValue(value))) => number(f64::from(*value)),
        (_, Some(Wire::DoubleValue(value))) => number(*value),
        // What 3.x makes of `undefined` (wire-3x §4.3).
        (_, None) => 0.into(),
    };
    pairs.iter().map(|pair| (pair.key.clone().unwrap_or_default(), value_of(pair))).collect()
}

/// The word of a content's kind in JSON.
pub(super) fn kind_word(content: &Content) -> &'static str {
    match content::Type::try_from(content.r#type.unwrap_or_default()) {
        Ok(content::Type::Text) => "txt",
        Ok(content::Type::Image) => "img",
        Ok(content::Type::Video) => "video",
        Ok(content::Type::Location) => "loc",
        Ok(content::Type::Voice) => "audio",
        Ok(content::Type::File) => "file",
        Ok(content::Type::Command) => "cmd",
        Ok(content::Type::Custom) => "custom",
        Ok(content::Type::Combine) => "combine",
        // Clients of days to come may send more.
        Err(_) => "unknown",
    }
}

fn content_json(content: &Content) -> Value {
    let kind = kind_word(content);
    let mut out = Map::new();
    out.insert("type".into(), kind.into());
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(key.into(), value);
        }
    };
    fn text(field: &Option<String>) -> Option<Value> {
        Some(field.clone().unwrap_or_default().into())
    }
    fn known(field: &Option<String>) -> Option<Value> {
        field.clone().filter(|text| !text.is_empty()).map(Value::from)
    }
    match kind {
        "txt" => {
            put("msg", text(&content.text));
            if is_combined(content) {
                put("subType", Some("sub_combine".into()));
                put("title", text(&content.title));
                put("summary", text(&content.summary));
                put("combineLevel", Some(content.combine_level.unwrap_or_default().into()));
                put("url", text(&content.remote_path));
                put("filename", text(&content.display_name));
                put("secret", known(&content.secret_key));
                put("file_length", Some(content.file_length.unwrap_or_default().into()));
            }
        }
        "loc" => {
            put("addr", text(&content.address));
            put("buildingName", known(&content.building_name));
            put("lat", Some(content.latitude.unwrap_or_default().into()));
            put("lng", Some(content.longitude.unwrap_or_default().into()));
        }
        "cmd" => put("action", text(&content.action)),
        "custom" => {
            put("customEvent", text(&content.custom_event));
            let exts = object_of(&content.custom_exts);
            // A list of objects with a key each, which 4.x maps over, and the object beside it (rest.md Part D).
            let list = exts.iter().map(|(key, value)| json!({ key: value })).collect();
            put("customExts", Some(Value::Array(list)));
            put("v2:customExts", Some(exts.into()));
        }
        "combine" | "unknown" => {}
        _ => {
            put("url", text(&content.remote_path));
            put("filename", text(&content.display_name));
            put("secret", known(&content.secret_key));
            put("file_length", Some(content.file_length.unwrap_or_default().into()));
            let size = content.size.as_ref().map(|size| {
                json!({
                    "width": number(size.width.unwrap_or_default()),
                    "height": number(size.height.unwrap_or_default()),
                })
            });
            match kind {
                "img" => {
                    put("size", size);
                    if content.sub_type == Some(content::SubType::Gif as i32) {
                        put("subType", Some("sub_gif".into()));
                    }
                }
                "audio" => put("length", Some(content.duration.unwrap_or_default().into())),
                "video" => {
                    put("length", Some(content.duration.unwrap_or_default().into()));
                    put("size", size);
                    put("thumb", known(&content.thumbnail_remote_path));
                    put("thumb_secret", known(&content.thumbnail_secret_key));
                }
                _ => {}
            }
        }
    }
    out.into()
}

/// Messages forwarded as one: a text of a kind of its own (wire-4x §6).
fn is_combined(content: &Content) -> bool {
    content.sub_type == Some(content::SubType::SubCombine as i32)
}

/// As JavaScript writes a number: without a fraction where it has none.
fn number(value: f64) -> Value {
    Number::from_f64(value)
        .map(|number| integer(&number).map_or(Value::Number(number), Value::from))
        .unwrap_or_default()
}

/// What JavaScript calls an integer, as far as an `int64` holds it: 1.0 is one.
fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let value = number.as_f64()?;
        // Beyond this a double is no longer next to its neighbour, and casts would make one up.
        let exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
        (number.is_f64() && exact).then_some(value as i64)
    })
}

/// message.md: the server-side API has coordinates as strings, history as numbers. Both will do.
fn degrees<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<f64>, D::Error> {
    use serde::de::Error as _;
    match Value::deserialize(field)? {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) => {
            let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
            number.map(Some).ok_or_else(|| D::Error::custom("a coordinate is a number of degrees"))
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(D::Error::custom("a coordinate is a number of degrees"))
        }
    }
}

/// message.md: up to 32 of `[a-zA-Z0-9-_/.]`.
fn custom_event(event: String) -> Result<String, String> {
    const CHARS_MAX: usize = 32;
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.');
    if event.is_empty() || event.len() > CHARS_MAX || !event.bytes().all(legal) {
        return Err("body.customEvent is 1 to 32 of a-z A-Z 0-9 - _ / .".into());
    }
    Ok(event)
}

/// message.md: up to 16 pairs of strings.
fn custom_exts(exts: Map<String, Value>) -> Result<Vec<KeyValue>, String> {
    const PAIRS_MAX: usize = 16;
    if exts.len() > PAIRS_MAX {
        return Err(format!("body.customExts holds at most {PAIRS_MAX} pairs"));
    }
    if let Some((key, _)) = exts.iter().find(|(_, value)| !value.is_string()) {
        return Err(format!("body.customExts.{} is not a string", super::excerpt(key)));
    }
    Ok(key_values(&exts))
}
