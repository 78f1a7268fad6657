//! `given.webhook`: an app's own server that is asked before a message is taken (rest.md B.9).

use std::fmt;

use mock_server::control::{MessageKind, Verdict, Webhook};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

/// What the harness serves on loopback, and the rule by which it is asked.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenWebhook {
    /// What everybody is told.
    pub answer: WebhookAnswer,
    /// How often it must have been asked by the scenario's end; left out: at least once.
    pub asked: Option<u32>,
    /// As in [`Webhook`].
    pub on_timeout: Option<Verdict>,
    /// As in [`Webhook`].
    pub report_error: Option<bool>,
    /// As in [`Webhook`].
    pub kinds: Option<Vec<MessageKind>>,
    /// As in [`Webhook`]; left out, an endpoint that answers has 5 s.
    pub timeout_ms: Option<u64>,
}

/// An answer: `"silence"`, or a status with a `body` of JSON or a `text` that may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// None at all.
    Silence,
    /// This.
    Says {
        /// The HTTP status.
        status: u16,
        /// The body.
        text: String,
    },
}

/// How long an endpoint that answers is waited for, in ms, where a scenario gives no time: the service's 200 ms of the
/// host's clock may pass on a machine under load before it has read the question.
const ANSWER_WITHIN_MS: u64 = 5_000;

impl GivenWebhook {
    /// The rule for a server that listens at `url`.
    pub fn rule(&self, url: String) -> Webhook {
        let usual = Webhook::default();
        let patience = match self.answer {
            WebhookAnswer::Silence => usual.timeout_ms,
            WebhookAnswer::Says { .. } => ANSWER_WITHIN_MS,
        };
        Webhook {
            url,
            secret: "conformance".to_owned(),
            timeout_ms: self.timeout_ms.unwrap_or(patience),
            on_timeout: self.on_timeout.unwrap_or(usual.on_timeout),
            report_error: self.report_error.unwrap_or(usual.report_error),
            kinds: self.kinds.clone().unwrap_or(usual.kinds),
        }
    }
}

impl JsonSchema for WebhookAnswer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WebhookAnswer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let says = |field: &str, kind: &str| {
            json_schema!({
                "type": "object",
                "properties": {
                    "status": {"type": "integer", "minimum": 100, "maximum": 999},
                    field: {"type": kind}
                },
                "required": ["status", field],
                "additionalProperties": false
            })
        };
        json_schema!({
            "description": "What everybody is told: nothing at all, or a status with a body of JSON or any text.",
            "oneOf": [{"const": "silence"}, says("body", "object"), says("text", "string")]
        })
    }
}

impl<'de> Deserialize<'de> for WebhookAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrAnswer;
        impl<'de> Visitor<'de> for WordOrAnswer {
            type Value = WebhookAnswer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"silence\", {\"status\": 200, \"body\": {…}} or {\"status\": 200, \"text\": \"…\"}",
                )
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<WebhookAnswer, E> {
                match word {
                    "silence" => Ok(WebhookAnswer::Silence),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WebhookAnswer, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Parts {
                    status: u16,
                    body: Option<Map<String, Value>>,
                    text: Option<String>,
                }
                let Parts { status, body, text } = Parts::deserialize(MapAccessDeserializer::new(map))?;
                if !(100..1000).contains(&status) {
                    return Err(A::Error::custom(format_args!(
                        "\"status\" is {status}, which HTTP does not have"
                    )));
                }
                match (body, text) {
                    (Some(body), None) => {
                        Ok(WebhookAnswer::Says { status, text: Value::Object(body).to_string() })
                    }
                    (None, Some(text)) => Ok(WebhookAnswer::Says { status, text }),
                    (Some(_), Some(_)) | (None, None) => {
                        Err(A::Error::custom("an answer has one of \"body\" and \"text\""))
                    }
                }
            }
        }
        deserializer.deserialize_any(WordOrAnswer)
    }
}
