//! Every call of the control plane, one row each. Requests are dispatched by this table, `GET /_mock/` lists it, and
//! `openapi.json` is made of it: what is not here is nowhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::route::{Answers, Handler, Holds, Parameter, Route, Takes, Verb};
use super::{
    bundle, catalog, commands, doors, index, live, look, openapi, overview, rules, stage, state, traffic,
};
use crate::catalog::{Listing, Staging};
use crate::control::Settings;
use crate::control_api::{
    ClockAt, ClockMove, CommandResults, Commands, Done, DoorFaults, DoorList, Findings, Index, JournalAnswer,
    KeepTape, NewWorld, Overview, Placed, QuietAnswer, Reset, RestAnswer, RuleList, StageNamed, TapePage,
    WaitFor, Waited, WorldList,
};
use crate::machine::state::{FILE_BYTES_MAX, StateFile};
use crate::traffic::Traffic;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: Verb::Get,
        path: "/_mock/",
        summary: "Who answers, and what may be asked here.",
        query: &[],
        takes: None,
        answers: Answers::json::<Index>(),
        handler: Handler::Look(index::answer),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/openapi.json",
        summary: "All of these calls as an OpenAPI 3.1 document.",
        query: &[],
        takes: None,
        answers: Answers::json::<BTreeMap<String, Value>>(),
        handler: Handler::Look(openapi::answer),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/worlds",
        summary: "Every world of the server, in a few numbers.",
        query: &[],
        takes: None,
        answers: Answers::json::<WorldList>(),
        handler: Handler::Look(overview::worlds),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/catalog",
        summary: "Every error that a client can be shown and every situation that has a name, and how to bring it about.",
        query: &[],
        takes: None,
        answers: Answers::json::<Listing<'static>>(),
        handler: Handler::Look(catalog::listing),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/stage",
        summary: "An error or a situation of the catalog happens to one user; the world is made if it is new.",
        query: &[],
        takes: Some(Takes::json::<StageNamed>(&[r#"{"name": "504", "user": "alice"}"#])),
        answers: Answers::json::<Staging>(),
        handler: Handler::Do(catalog::stage),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/state",
        summary: "Every world as a document that people can read, compare, keep and load again.",
        query: &[],
        takes: None,
        answers: Answers::json::<StateFile>(),
        handler: Handler::Wait(|asked| Box::pin(state::all(asked))),
    },
    Route {
        method: Verb::Put,
        path: "/_mock/state",
        summary: "Puts the worlds of such a document in the place of all that are there, and cuts every connection: \
                  clients come again. Refused whole or done whole.",
        query: &[],
        takes: Some(Takes {
            bytes_max: FILE_BYTES_MAX,
            ..Takes::json::<StateFile>(&[r#"{"format": "mock-server state", "version": 1, "worlds": []}"#])
        }),
        answers: Answers::json::<Placed>(),
        handler: Handler::DoAndWait(|asked, body| Box::pin(state::put_all(asked, body))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/state",
        summary: "The world as such a document.",
        query: &[],
        takes: None,
        answers: Answers::json::<StateFile>(),
        handler: Handler::Wait(|asked| Box::pin(state::one(asked))),
    },
    Route {
        method: Verb::Put,
        path: "/_mock/{org}/{app}/state",
        summary: "Puts the one world of such a document in the place of this one, and cuts its connections. Refused \
                  whole or done whole.",
        query: &[],
        takes: Some(Takes { bytes_max: FILE_BYTES_MAX, ..Takes::json::<StateFile>(&[]) }),
        answers: Answers::json::<Placed>(),
        handler: Handler::DoAndWait(|asked, body| Box::pin(state::put_one(asked, body))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/doors",
        summary: "The door faults of the whole server: what befalls clients before they log in.",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::of_server),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/doors",
        summary: "Arms door faults for every client: one, or an array of them, as lines or as objects.",
        query: &[],
        takes: Some(Takes::json::<DoorFaults>(&[
            r#""refuse info with 503 next 1""#,
            r#"[{"slow_open": {"ms": 1, "next": 1}}]"#,
        ])),
        answers: Answers::json::<DoorList>(),
        handler: Handler::Do(doors::arm_server),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/doors",
        summary: "Takes away every door fault of the whole server.",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::clear_server),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/doors/{id}",
        summary: "Takes away one door fault of the whole server.",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::disarm_server),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/doors",
        summary: "The door faults of the world's own path, /w/{org}~{app}/….",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::of_world),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/doors",
        summary: "Arms door faults for the clients that come by the world's own path, /w/{org}~{app}/….",
        query: &[],
        takes: Some(Takes::json::<DoorFaults>(&[
            r#"["refuse next 3 connections", "never open next 1", "slow open 2s"]"#,
            r#"{"refuse": {"what": "upgrade", "with": {"status": 401}, "next": 1}}"#,
        ])),
        answers: Answers::json::<DoorList>(),
        handler: Handler::Do(doors::arm_world),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/{org}/{app}/doors",
        summary: "Takes away every door fault of the world's own path.",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::clear_world),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/{org}/{app}/doors/{id}",
        summary: "Takes away one door fault of the world's own path.",
        query: &[],
        takes: None,
        answers: Answers::json::<DoorList>(),
        handler: Handler::Look(doors::disarm_world),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/overview",
        summary: "What the world is like just now: clock, settings, users and what waits for them, groups, rooms.",
        query: &[],
        takes: None,
        answers: Answers::json::<Overview>(),
        handler: Handler::Look(overview::overview),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/settings",
        summary: "The rules that hold in the world; a command changes them.",
        query: &[],
        takes: None,
        answers: Answers::json::<Settings>(),
        handler: Handler::Look(overview::settings),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/world",
        summary: "Puts an empty world in the place of the one that may be there, without the rules and groups of the \
                  server's flags.",
        query: &[],
        takes: Some(Takes::json::<NewWorld>(&[
            r#"{"settings": {"strict": true}, "clock_ms": 1640908800000, "tape_rows_max": 200000}"#,
            r#"{"nasty": 7}"#,
            "{}",
        ])),
        answers: Answers::json::<ClockAt>(),
        handler: Handler::Do(stage::anew),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/reset",
        summary: "Empties the world: users, groups, messages, connections and faults go; rules, clock and what the \
                  server's flags stage stay.",
        query: &[],
        takes: Some(Takes::json::<Reset>(&["{}"])),
        answers: Answers::json::<Overview>(),
        handler: Handler::Do(stage::reset),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/{org}/{app}/world",
        summary: "Forgets the world and closes its connections.",
        query: &[],
        takes: None,
        answers: Answers::json::<Done>(),
        handler: Handler::Look(stage::forget),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/control",
        summary: "One command, or an array of them that is done whole or not at all, to the world; it is made if it is \
                  new.",
        query: &[],
        takes: Some(Takes::json::<Commands>(&[
            r#"[{"user": {"name": "alice", "password": "pw"}}, {"user": {"name": "bob", "password": "pw"}},
                {"group": {"id": "g1", "owner": "alice", "members": ["bob"]}}]"#,
            r#"{"settings": {"recall_window_ms": 1000}}"#,
            r#"{"send": {"from": "bob", "to": "alice", "text": "hi"}}"#,
            r#"{"send": {"from": "bob", "to": "alice", "body": {"type": "cmd", "action": "refresh"}}}"#,
            r#"{"fault": {"rule": "on 2nd text from alice: delay 3s"}}"#,
            r#"{"fault": {"answer_status": {"user": "alice", "code": 7, "reason": "sensitive words"}}}"#,
        ])),
        answers: Answers::json::<CommandResults>(),
        handler: Handler::Do(commands::answer),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/rules",
        summary: "The fault rules that were armed in the world, and how often each has acted.",
        query: &[],
        takes: None,
        answers: Answers::json::<RuleList>(),
        handler: Handler::Look(rules::list),
    },
    Route {
        method: Verb::Delete,
        path: "/_mock/{org}/{app}/rules/{id}",
        summary: "Takes one fault rule back; what it holds back is let go.",
        query: &[],
        takes: None,
        answers: Answers::json::<Done>(),
        handler: Handler::Look(rules::clear),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/clock",
        summary: "What time it is in the world.",
        query: &[],
        takes: None,
        answers: Answers::json::<ClockAt>(),
        handler: Handler::Look(stage::clock),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/clock",
        summary: "Moves the world's clock, stops it at a moment, or has it run on from where it is.",
        query: &[],
        takes: Some(Takes::json::<ClockMove>(&[
            r#"{"advance_ms": 120000}"#,
            r#"{"stop": {}}"#,
            r#"{"run": {}}"#,
            r#"{"set_ms": 4102444800000}"#,
        ])),
        answers: Answers::json::<ClockAt>(),
        handler: Handler::Do(stage::move_clock),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/tape",
        summary: "A part of the tape: every frame and request; bytes are in base64.",
        query: &[
            Parameter {
                name: "from",
                holds: Holds::Number,
                about: "The number of the first row, counted from 0.",
            },
            Parameter { name: "rows", holds: Holds::Number, about: "How many rows at most: up to 2000." },
        ],
        takes: None,
        answers: Answers::json::<TapePage>(),
        handler: Handler::Look(look::tape),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/tape",
        summary: "Keeps a tape of the world from now on.",
        query: &[],
        takes: Some(Takes::json::<KeepTape>(&[r#"{"rows_max": 200000}"#])),
        answers: Answers::json::<KeepTape>(),
        handler: Handler::Do(stage::keep_tape),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/quiet",
        summary: "Waits until every queue is pulled and acknowledged and no request is open.",
        query: &[WITHIN],
        takes: None,
        answers: Answers::json::<QuietAnswer>(),
        handler: Handler::Wait(|asked| Box::pin(look::quiet(asked))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/rest",
        summary: "Waits until the server itself has nothing left to do there, whatever clients owe.",
        query: &[WITHIN],
        takes: None,
        answers: Answers::json::<RestAnswer>(),
        handler: Handler::Wait(|asked| Box::pin(look::rest(asked))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/findings",
        summary: "What clients did wrong that the server forgave.",
        query: &[],
        takes: None,
        answers: Answers::json::<Findings>(),
        handler: Handler::Look(look::findings),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/journal",
        summary: "All that the world was given since it was made, for another to be brought to the same state.",
        query: &[],
        takes: None,
        answers: Answers::json::<JournalAnswer>(),
        handler: Handler::Look(look::journal),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/traffic",
        summary: "Rows of the tape, decoded: whose each is, what it is, a line in words; chosen by what they are.",
        query: &[
            AFTER, LIMIT, USER, DEVICE, KIND, DIRECTION, CLAUSE, SINCE, UNTIL, TEXT, METHOD, PATH, STATUS,
            WHERE,
        ],
        takes: None,
        answers: Answers::json::<Traffic>(),
        handler: Handler::Look(traffic::answer),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/events",
        summary: "The same rows as they come, for an EventSource: row, changed (something else did), lost (rows made \
                  room before they were read), ended (the world is gone).",
        query: &[
            AFTER, USER, DEVICE, KIND, DIRECTION, CLAUSE, SINCE, UNTIL, TEXT, METHOD, PATH, STATUS, WHERE,
        ],
        takes: None,
        answers: Answers::Other("text/event-stream"),
        handler: Handler::Look(live::answer),
    },
    Route {
        method: Verb::Post,
        path: "/_mock/{org}/{app}/wait",
        summary: "Waits, in real time, until so many rows of a kind are there; else, with 408, tells what came nearest.",
        query: &[],
        takes: Some(Takes::json::<WaitFor>(&[
            r#"{"user": "bob", "kind": "provision", "direction": "down", "count": 1, "within_ms": 5000}"#,
        ])),
        answers: Answers::json::<Waited>(),
        handler: Handler::DoAndWait(|asked, body| Box::pin(traffic::wait(asked, body))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/bundle",
        summary: "All that is kept of the world, for `conformance replay`; passwords and brought tokens are replaced.",
        query: &[],
        takes: None,
        answers: Answers::Other("application/json"),
        handler: Handler::Wait(|asked| Box::pin(bundle::bundle(asked))),
    },
    Route {
        method: Verb::Get,
        path: "/_mock/{org}/{app}/har",
        summary: "The requests that are kept, as HAR 1.2, for a browser's tools; passwords are replaced.",
        query: &[],
        takes: None,
        answers: Answers::Other("application/json"),
        handler: Handler::Wait(|asked| Box::pin(bundle::har(asked))),
    },
];

const AFTER: Parameter = Parameter {
    name: "after",
    holds: Holds::Number,
    about: "Only rows behind the one of this number; left out, from the oldest that is kept.",
};
const LIMIT: Parameter =
    Parameter { name: "limit", holds: Holds::Number, about: "How many rows at most: up to 2000." };
const USER: Parameter = Parameter { name: "user", holds: Holds::Text, about: "Only rows of this user." };
const DEVICE: Parameter = Parameter {
    name: "device",
    holds: Holds::Text,
    about: "Only rows of this device, by the resource it logged in with.",
};
const KIND: Parameter = Parameter { name: "kind", holds: Holds::Text, about: "Only rows of this kind." };
const DIRECTION: Parameter =
    Parameter { name: "direction", holds: Holds::Text, about: "Only frames that went up, or down." };
const CLAUSE: Parameter =
    Parameter { name: "clause", holds: Holds::Text, about: "Only rows that offend this clause." };
const SINCE: Parameter =
    Parameter { name: "since_ms", holds: Holds::Number, about: "From this moment of the world's time on." };
const UNTIL: Parameter =
    Parameter { name: "until_ms", holds: Holds::Number, about: "Until this moment of the world's time." };
const TEXT: Parameter = Parameter {
    name: "text",
    holds: Holds::Text,
    about: "Only rows with this text anywhere in them, in any case.",
};
const METHOD: Parameter =
    Parameter { name: "method", holds: Holds::Text, about: "Only requests with this method." };
const PATH: Parameter = Parameter {
    name: "path",
    holds: Holds::Text,
    about: "Only requests whose path, behind /{org}/{app}, holds this.",
};
const STATUS: Parameter =
    Parameter { name: "status", holds: Holds::Number, about: "Only requests that were answered with this." };

const WHERE: Parameter = Parameter {
    name: "where",
    holds: Holds::Text,
    about: "Only rows of which these conditions of the rule language hold, such as meta.ns == CHAT.",
};
const WITHIN: Parameter = Parameter {
    name: "within_ms",
    holds: Holds::Number,
    about: "How long it may wait, in ms: up to 60000; left out, not at all.",
};
