//! `GET /_mock/openapi.json`: the control plane as an OpenAPI 3.1 document, for editors, generators and other programs.
//!
//! What is served is `openapi.json` of this package, as it is committed. With the feature `schema` the document can be made
//! anew from the table and the Rust types, by which a test holds the file.

use bytes::Bytes;

use super::Refusal;
use super::route::Asked;
use crate::shell::content::{self, Answer};

const DOCUMENT: &str = include_str!("../../../openapi.json");

pub(super) fn answer(_asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(content::json(200, Bytes::from_static(DOCUMENT.as_bytes())))
}

#[cfg(feature = "schema")]
pub use made::document;

#[cfg(feature = "schema")]
mod made {
    use schemars::SchemaGenerator;
    use schemars::generate::SchemaSettings;
    use serde_json::{Map, Value, json};

    use crate::control_api::{CONTROL_PROTOCOL, Refused};
    use crate::shell::control::route::{Answers, Holds, Parameter, Route, Takes};
    use crate::shell::control::table::ROUTES;

    /// The document, made from the table of calls and the types of their bodies.
    pub fn document() -> Value {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        let mut generator = settings.into_generator();
        let refused = generator.subschema_for::<Refused>().to_value();
        let mut paths = Map::new();
        for route in ROUTES {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            path[route.method.word().to_lowercase()] = operation(&mut generator, route);
        }
        let schemas = generator.take_definitions(true);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "mock-server: the control plane",
                "summary": "Stages the worlds of a mock server for the Easemob WebIM protocol, and looks into them.",
                "description": "One world is one app key, org#app; a path names it as /{org}/{app}. Whatever is refused \
                                is refused whole, with the reason. Times are in ms since 1970, of the world's clock.",
                "version": CONTROL_PROTOCOL.to_string(),
            },
            "servers": [{ "url": "http://127.0.0.1:8989", "description": "where mock-server listens by default" }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": { "Refused": {
                    "description": "Nothing was done, and error_description says why.",
                    "content": { "application/json": { "schema": refused } },
                } },
            },
        })
    }

    fn operation(generator: &mut SchemaGenerator, route: &Route) -> Value {
        let named = route.path_names().map(
            |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        );
        let parameters: Vec<Value> = named.chain(route.query.iter().map(parameter)).collect();
        let content = match &route.answers {
            Answers::Json(shape) => {
                json!({ "application/json": { "schema": (shape.schema)(generator).to_value() } })
            }
            Answers::Other(media_type) => json!({ *media_type: {} }),
        };
        let mut operation = json!({
            "summary": route.summary,
            "operationId": operation_id(route),
            "responses": {
                "200": { "description": "It was done.", "content": content },
                "default": { "$ref": "#/components/responses/Refused" },
            },
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(Takes { shape, examples, .. }) = &route.takes {
            let mut body = json!({ "schema": (shape.schema)(generator).to_value() });
            let named = |(number, text): (usize, &&str)| {
                let value: Value = serde_json::from_str(text).expect("the table's examples are JSON");
                (format!("example{}", number + 1), json!({ "value": value }))
            };
            if !examples.is_empty() {
                body["examples"] = Value::Object(examples.iter().enumerate().map(named).collect());
            }
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": body } });
        }
        operation
    }

    fn parameter(parameter: &Parameter) -> Value {
        let schema = match parameter.holds {
            Holds::Number => json!({ "type": "integer", "minimum": 0 }),
            Holds::Text => json!({ "type": "string" }),
        };
        json!({
            "name": parameter.name, "in": "query", "description": parameter.about, "schema": schema,
        })
    }

    /// `post_clock` of `POST /_mock/{org}/{app}/clock`; of calls that belong to no world, `server_worlds`.
    fn operation_id(route: &Route) -> String {
        let words = route.path.split('/').skip(2).filter(|word| !word.is_empty() && !word.starts_with('{'));
        let words: Vec<String> = words.map(|word| word.replace(['.', '-'], "_")).collect();
        let of = if route.path.contains("{org}") { "world" } else { "server" };
        let what = if words.is_empty() { "index".to_owned() } else { words.join("_") };
        // A name in braces at the end is one thing of those that the word before means.
        let one = if route.path.ends_with('}') { "_one" } else { "" };
        format!("{}_{of}_{what}{one}", route.method.word().to_lowercase())
    }
}
