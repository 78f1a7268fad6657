//! `GET /_mock/`: who answers, and what may be asked here.

use std::collections::BTreeMap;

use super::route::{Asked, Parameter, Route};
use super::table::ROUTES;
use super::{Refusal, told};
use crate::control_api::{CONTROL_PROTOCOL, Index, IndexCall};
use crate::shell::content::Answer;

pub(super) fn answer(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let index = Index {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        control_protocol: CONTROL_PROTOCOL,
        strict: asked.worlds.is_strict(),
        nasty: asked.worlds.nasty(),
        clients: asked.clients(),
        openapi: "/_mock/openapi.json".to_owned(),
        headers: "with a body, Content-Type: application/json; no Origin".to_owned(),
        calls: ROUTES.iter().map(|route| (name(route), call(route))).collect(),
    };
    Ok(told(200, &index))
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method.word(), route.path)
}

fn call(route: &Route) -> IndexCall {
    let about = |parameter: &Parameter| (parameter.name.to_owned(), parameter.about.to_owned());
    let examples = route.takes.iter().flat_map(|takes| takes.examples);
    let example = |text: &&str| serde_json::from_str(text).expect("the table's examples are JSON");
    IndexCall {
        does: route.summary.to_owned(),
        query: route.query.iter().map(about).collect::<BTreeMap<_, _>>(),
        examples: examples.map(example).collect(),
    }
}
