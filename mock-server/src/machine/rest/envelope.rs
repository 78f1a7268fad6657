//! What every answer of the API is wrapped in (rest.md 0.4, 0.5).

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Call, Method, Response};
use crate::machine::account::TokenFault;
use crate::machine::{Millis, Server, excerpt};

/// A call that did what it was asked.
pub(super) enum Success {
    /// The body as it is: `/token` has no envelope.
    Bare(Value),
    /// `data`, and beside it `entities`, `count` and `cursor` where they are told.
    Enveloped {
        data: Value,
        entities: Vec<Value>,
        count: Option<usize>,
        cursor: Option<String>,
        /// Where it is a phrase rather than the method.
        action: Option<&'static str>,
        /// Where it is told to be, if not where it was asked for.
        path: Option<&'static str>,
    },
    /// An attachment's bytes, which nothing is wrapped around.
    File(Body),
}

/// A call that did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    status: u16,
    /// The code word, such as `invalid_grant`.
    error: &'static str,
    /// The class name that the service shows.
    exception: &'static str,
    description: String,
    place: Place,
    /// The number of the newer endpoints (rest.md 0.5).
    code: Option<u32>,
}

/// Under which name a refusal says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Description,
    /// `result` (rest.md 0.5).
    Result,
}

#[derive(Serialize)]
struct Envelope<'a> {
    action: &'static str,
    application: String,
    #[serde(rename = "applicationName")]
    application_name: &'a str,
    organization: &'a str,
    uri: String,
    path: &'a str,
    entities: &'a [Value],
    data: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    /// Where threads have their cursor (rest.md B.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Value>,
    timestamp: u64,
    duration: u64,
}

#[derive(Serialize)]
struct ErrorEnvelope<'a> {
    error: &'a str,
    exception: &'a str,
    timestamp: u64,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
}

impl Success {
    pub(super) fn data(data: Value) -> Self {
        Self::Enveloped { data, entities: Vec::new(), count: None, cursor: None, action: None, path: None }
    }

    pub(super) fn list(data: Vec<Value>) -> Self {
        Self::page(data, None)
    }

    /// A list, and the cursor of what follows it.
    pub(super) fn page(data: Vec<Value>, cursor: Option<String>) -> Self {
        let count = Some(data.len());
        Self::Enveloped {
            data: Value::Array(data),
            entities: Vec::new(),
            count,
            cursor,
            action: None,
            path: None,
        }
    }

    pub(super) fn entity(entity: Value) -> Self {
        Self::entities(vec![entity], None, None)
    }

    /// Entities, their number where it is told, and the cursor of what follows them.
    pub(super) fn entities(entities: Vec<Value>, count: Option<usize>, cursor: Option<String>) -> Self {
        Self::Enveloped { data: Value::Array(Vec::new()), entities, count, cursor, action: None, path: None }
    }

    /// With entities beside the data.
    pub(super) fn with_entities(mut self, beside: Vec<Value>) -> Self {
        if let Self::Enveloped { entities, .. } = &mut self {
            *entities = beside;
        }
        self
    }

    /// With something beside the entities.
    pub(super) fn with_data(mut self, beside: Value) -> Self {
        if let Self::Enveloped { data, .. } = &mut self {
            *data = beside;
        }
        self
    }

    /// With the cursor of what follows.
    pub(super) fn with_cursor(mut self, next: Option<String>) -> Self {
        if let Self::Enveloped { cursor, .. } = &mut self {
            *cursor = next;
        }
        self
    }

    /// With another `action` than the method's word.
    pub(super) fn acted(mut self, phrase: &'static str) -> Self {
        if let Self::Enveloped { action, .. } = &mut self {
            *action = Some(phrase);
        }
        self
    }

    /// With another `uri` and `path` than what was asked.
    pub(super) fn at(mut self, elsewhere: &'static str) -> Self {
        if let Self::Enveloped { path, .. } = &mut self {
            *path = Some(elsewhere);
        }
        self
    }

    /// What calls without an envelope answer: the time, and beside it what they have to say (rest.md 0.4).
    pub(super) fn bare(call: &Call<'_>, key: &str, value: Value) -> Self {
        Self::Bare(json!({ "timestamp": call.now.0, "duration": 0, key: value }))
    }

    pub(super) fn response(&self, server: &Server, call: &Call<'_>) -> Response {
        let body = match self {
            Self::Bare(body) => to_json(body),
            Self::File(body) => return Response { status: 200, body: body.clone() },
            Self::Enveloped { data, entities, count, cursor, action, path } => {
                let path = path.unwrap_or(&call.request.path);
                to_json(&Envelope {
                    action: action.unwrap_or(call.request.method.word()),
                    application: application_uuid(server),
                    application_name: server.app.app(),
                    organization: server.app.org(),
                    uri: format!("{}/{}/{}{path}", call.request.base, server.app.org(), server.app.app()),
                    path,
                    entities,
                    data,
                    count: *count,
                    cursor: cursor.as_deref(),
                    properties: cursor.as_deref().map(|cursor| json!({ "cursor": cursor })),
                    timestamp: call.now.0,
                    duration: 0,
                })
            }
        };
        Response { status: 200, body: Body::Json(body) }
    }
}

/// A refusal quotes what was asked for, which may be a megabyte; the vendor's own fit by far.
const DESCRIPTION_CHARS_MAX: usize = 1_000;

impl Failure {
    pub(super) fn response(&self, now: Millis) -> Response {
        let (error_description, result) = match self.place {
            Place::Description => (Some(&*self.description), None),
            Place::Result => (None, Some(&*self.description)),
        };
        let body = to_json(&ErrorEnvelope {
            error: self.error,
            exception: self.exception,
            timestamp: now.0,
            duration: 0,
            error_description,
            result,
            error_code: self.code,
        });
        Response { status: self.status, body: Body::Json(body) }
    }

    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    fn new(
        status: u16,
        error: &'static str,
        exception: &'static str,
        description: impl Into<String>,
    ) -> Self {
        let mut description = description.into();
        if let Some((end, _)) = description.char_indices().nth(DESCRIPTION_CHARS_MAX) {
            description.truncate(end);
            description.push('…');
        }
        Self { status, error, exception, description, place: Place::Description, code: None }
    }

    /// With the number by which 4.x tells it.
    pub(super) fn coded(self, code: u32) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Something that is not there.
    pub(super) fn missing(description: impl Into<String>) -> Self {
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// A conversation that is not in the user's list (rest.md 0.11: 1400).
    pub(super) fn no_conversation() -> Self {
        let description = "the conversation does not exist in the list";
        let failure =
            Self::new(404, "service_resource_not_found", "ConversationNotFoundException", description);
        failure.coded(91001)
    }

    /// What is not found is no conversation of the list; other refusals stay.
    pub(super) fn or_no_conversation(self) -> Self {
        if self.status == 404 { Self::no_conversation() } else { self }
    }

    /// A message that is not pinned; the words by which 4.x tells it (rest.md 0.11: 51).
    pub(super) fn not_pinned() -> Self {
        let description = "user session pin message not exist";
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// No more conversations fit at the top of the list (rest.md 0.11: 50).
    pub(super) fn too_many_pinned() -> Self {
        Self::forbidden("too many conversations are pinned").coded(91002)
    }

    /// A path that nothing is at.
    pub fn no_such_path(path: &str) -> Self {
        let description = format!("Service resource not found: {path}");
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    pub(super) fn wrong_method(method: Method, path: &str) -> Self {
        let description = format!("{} is not a method of {path}", method.word().to_uppercase());
        Self::new(405, "method_not_allowed", "MethodNotAllowedException", description)
    }

    pub(super) fn no_token() -> Self {
        Self::new(401, "unauthorized", "UnauthorizedException", "Unable to authenticate (OAuth)")
    }

    pub(super) fn token(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Unknown => Self::new(
                401,
                "auth_bad_access_token",
                "AuthBadAccessTokenException",
                "Unable to authenticate due to corrupt access token",
            ),
            TokenFault::Expired => Self::new(
                401,
                "unauthorized",
                "UnauthorizedException",
                "Unable to authenticate due to expired access token",
            ),
            TokenFault::Apps => Self::forbidden("this call needs a user's token; this one is the app's"),
        }
    }

    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::new(
            400,
            "json_parse",
            "JsonParseException",
            format!("the body is not what this call takes: {error}"),
        )
    }

    /// The words that 4.x looks for (rest.md A.3).
    pub(super) fn wrong_password() -> Self {
        Self::invalid_grant("invalid password")
    }

    /// Credentials that `/token` does not take (rest.md B.1).
    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", "InvalidGrantException", description)
    }

    pub(super) fn user_not_found() -> Self {
        Self::new(404, "service_resource_not_found", "UserNotFoundException", "user not found")
    }

    /// Messages cannot be taken back in this world (rest.md B.4).
    pub(super) fn recall_off() -> Self {
        let description = "message recall service is unopened";
        Self::new(403, "forbidden_op", "EasemobForbiddenOpException", description)
    }

    pub(super) fn no_history_file() -> Self {
        let description = "this server writes no files of history; messageroaming shows what is kept";
        Self::new(404, "storage_object_not_found", "StorageObjectNotFoundException", description)
    }

    /// An app without presence; 4.x looks for the words in another field than those of all other refusals (rest.md 0.11).
    pub(super) fn presence_off() -> Self {
        Self { place: Place::Result, ..Self::illegal("the app not open presence") }
    }

    /// A device that the user neither has nor lately had.
    pub(super) fn no_device(resource: &str) -> Self {
        let description = format!("the user has no device {}", excerpt(resource));
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// A message that is not kept, or not the user's to know of.
    pub(super) fn no_message(id: &str) -> Self {
        let description = format!("no message {} is kept for this user", excerpt(id));
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    pub(super) fn illegal(description: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument", "IllegalArgumentException", description)
    }

    /// rest.md B.5.
    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_parameter", "InvalidParameterException", description)
    }

    pub(super) fn duplicate_user(name: &str) -> Self {
        let description =
            format!("Entity user requires that property named username be unique, value of {name} exists");
        Self::new(
            400,
            "duplicate_unique_property_exists",
            "DuplicateUniquePropertyExistsException",
            description,
        )
    }

    pub(super) fn registration_closed() -> Self {
        let description = "registration is not open, please contact the app admin";
        Self::new(401, "unauthorized", "UnauthorizedException", description)
    }

    pub(super) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(403, "forbidden_op", "ForbiddenOpException", description)
    }

    /// The words by which 4.x tells a group that is gone (rest.md 0.11).
    pub(super) fn no_muc(id: &str) -> Self {
        let description = format!("grpID {id} does not exist!");
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// What moderation says of an upload; the word by which SDKs know it (rest.md A.4).
    pub(super) fn content_improper() -> Self {
        Self::new(400, "content improper", "ContentImproperException", "the file's content is improper")
    }

    /// A file above the world's limit (rest.md B.4).
    pub(super) fn attachment_too_large(bytes_max: u64) -> Self {
        let description = format!("Request Entity Too Large: an attachment holds at most {bytes_max} bytes");
        Self::new(413, "request_entity_too_large", "RequestEntityTooLargeException", description)
    }

    /// A file that this machine could not keep.
    pub(super) fn lost(why: &str) -> Self {
        Self::new(
            500,
            "web_application",
            "WebApplicationException",
            format!("the file could not be kept: {why}"),
        )
    }

    pub(super) fn no_chatfile(uuid: &str) -> Self {
        let description = format!("chatfile {} does not exist", excerpt(uuid));
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    pub(super) fn no_part_upload(uuid: &str) -> Self {
        let description =
            format!("no upload in parts {}: it was never begun, given up, or abandoned", excerpt(uuid));
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// The words by which 4.x tells a wrong secret (rest.md A.5).
    pub(super) fn no_permission() -> Self {
        Self::new(403, "forbidden_op", "ForbiddenOpException", "chatfile no permission")
    }

    /// Pictures of videos need a decoder, which a mock has none of.
    pub(super) fn no_video_frame() -> Self {
        let description = "this server takes no pictures of videos; ask for the video itself";
        Self::new(404, "service_resource_not_found", "ServiceResourceNotFoundException", description)
    }

    /// A file whose bytes had to make room; the word by which 4.x tells it (rest.md A.5).
    pub fn file_expired() -> Self {
        let description = "the file is gone: newer ones needed its room";
        Self::new(404, "file_expired", "FileExpiredException", description)
    }

    /// A part of a file that it does not have (RFC 9110 §15.5.17).
    pub fn no_such_range(bytes: u64) -> Self {
        let description = format!("the file has {bytes} bytes, and none of those that Range asks for");
        Self::new(416, "illegal_argument", "RangeNotSatisfiableException", description)
    }

    pub(super) fn limit(description: impl Into<String>) -> Self {
        Self::new(429, "resource_limited", "ResourceLimitedException", description)
    }

    /// A tenant that is not there.
    pub fn no_application(org: &str, app: &str, path: &str) -> Self {
        let description = format!("Could not find application for {org}/{app} from URI: {org}/{app}{path}");
        Self::new(
            404,
            "organization_application_not_found",
            "OrganizationApplicationNotFoundException",
            description,
        )
    }

    /// A method that no path takes.
    pub fn unknown_method(method: &str) -> Self {
        let description = format!("{method} is not a method of this API");
        Self::new(405, "method_not_allowed", "MethodNotAllowedException", description)
    }

    /// A body that is larger than any call takes.
    pub fn too_large(bytes_max: usize) -> Self {
        let description = format!("Request Entity Too Large: a body holds at most {bytes_max} bytes");
        Self::new(413, "request_entity_too_large", "RequestEntityTooLargeException", description)
    }

    /// A body that broke off, or a request line that makes no sense.
    pub fn bad_request(description: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument", "IllegalArgumentException", description)
    }
}

impl Method {
    /// As envelopes spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// A uuid-shaped name for the app, the same in every run.
pub(super) fn application_uuid(server: &Server) -> String {
    uuid_of(&server.app.to_string())
}

/// FNV-1a, twice over: looks like a uuid and is one name's for ever. Nothing relies on it being hard to guess.
pub(in crate::machine) fn uuid_of(name: &str) -> String {
    let fnv = |seed: u64| {
        name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (fnv(0xcbf2_9ce4_8422_2325), fnv(0x9ae1_6a3b_2f90_404f));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn to_json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("envelopes hold strings, numbers and JSON only").into()
}
