//! What a refusal over HTTP is in the numbers of the 4.x clients (rest.md 0.11 and A.5), whichever generation the call
//! comes from: 3.x shows 17 whatever the cause.
//!
//! Tables and their reading. A refused login is in `error`: its numbers are others (wire-4x §3.3).

use serde::Deserialize;
use serde_json::json;

use crate::error::{Failure, excerpt};
use crate::rest::HttpAnswer;

/// One cause that is told apart.
struct Row {
    status: u16,
    when: When,
    code: i32,
    /// What is shown instead of the service's own sentence.
    shown: Option<&'static str>,
}

enum When {
    /// `error_code` is this.
    Code(i64),
    /// That, and the sentence has this in it.
    CodeAndWords(i64, &'static str),
    /// The sentence is this, and the exception that.
    SaysUpon(&'static str, &'static str),
    /// The sentence is this.
    Says(&'static str),
    /// The sentence has these in it, each of them.
    Holds(&'static [&'static str]),
    /// The sentence has this in it, and the call is about groups.
    InGroups(&'static str),
    Otherwise,
}

const fn row(status: u16, when: When, code: i32) -> Row {
    Row { status, when, code, shown: None }
}

const fn shown(status: u16, when: When, code: i32, shown: &'static str) -> Row {
    Row { status, when, code, shown: Some(shown) }
}

const NO_ROOM: &str = "The chat room dose not exist.";

/// The first row that fits counts; what none fits is 17.
const ROWS: &[Row] = &[
    row(400, When::Code(40002), 1301),
    row(400, When::Code(40009), 53),
    row(400, When::Code(60005), 609),
    row(400, When::CodeAndWords(60010, "exceeds chatgroup user metadata single value limit"), 50),
    row(400, When::Code(60010), 52),
    row(400, When::Code(60006), 50),
    row(400, When::Code(60007), 50),
    row(400, When::Code(60009), 50),
    row(400, When::Code(60012), 50),
    row(400, When::Code(60011), 702),
    row(400, When::Code(14403), 101),
    row(400, When::Code(91104), 52),
    row(400, When::InGroups("are not members of this group"), 602),
    row(400, When::Holds(&["are not members of this group"]), 702),
    row(400, When::Holds(&["remark length must less"]), 50),
    row(400, When::Says("the app not open presence"), 505),
    row(400, When::Says("the user is already operation this message"), 1101),
    row(400, When::Says("The quantity has exceeded the limit!"), 50),
    row(400, When::Says("The user not in this group!"), 602),
    row(400, When::Says("the user operation is illegal!"), 1103),
    row(400, When::Says("this appKey is not open reaction service!"), 505),
    row(400, When::Says("this appKey not open message roaming"), 505),
    row(400, When::Says("this message is creating reaction, please try again."), 1102),
    row(400, When::Says("groupId can not be null!"), 605),
    row(400, When::Says("The input text is too long."), 1201),
    row(400, When::Says("The target language is not valid."), 1200),
    row(400, When::Says("report failed, get message by id failed"), 51),
    row(400, When::Says("ext is too big "), 1100),
    row(400, When::Says("Request body not readable.Please check content type is correct!"), -3),
    row(400, When::Holds(&["param mark "]), -3),
    row(400, When::Says("param pin_msg_id illegal, please check it!"), -3),
    row(400, When::Says("updateRemark | they are not friends, please add as a friend first."), 221),
    row(401, When::Code(40001), 52),
    row(401, When::Code(60001), 52),
    row(401, When::Says("Unable to authenticate (OAuth)"), 52),
    row(403, When::Code(40000), 505),
    row(403, When::Code(60004), 505),
    row(403, When::Code(15002), 505),
    row(403, When::Code(40003), 1301),
    row(403, When::Code(40004), 1301),
    row(403, When::Code(40005), 50),
    row(403, When::Code(40007), 50),
    row(403, When::Code(91002), 50),
    row(403, When::Code(91101), 50),
    row(403, When::Code(60002), 603),
    row(403, When::Code(91102), -3),
    row(403, When::InGroups("group member list is full!"), 606),
    row(403, When::Says("group member list is full!"), 704),
    row(403, When::Holds(&["invite users to join group failed", "already in group"]), 601),
    row(403, When::InGroups("are not members of this group"), 602),
    row(403, When::Holds(&["are not members of this group"]), 702),
    row(403, When::Says("service not open!"), 505),
    row(403, When::Says("message report not open"), 505),
    row(403, When::Says("messageroaming function not open"), 505),
    row(403, When::Holds(&["members size is greater than max user size !"]), 607),
    row(403, When::Holds(&["can not operate this group, reason: group is disabled"]), 608),
    row(403, When::Holds(&["contact max count"]), 50),
    shown(403, When::Otherwise, 603, "permission denied"),
    row(404, When::Code(40011), 1300),
    row(404, When::Code(40012), 52),
    row(404, When::Code(60003), 602),
    row(404, When::Code(20004), 602),
    row(404, When::Code(91001), 1400),
    shown(404, When::InGroups("do not find this group"), 605, NO_ROOM),
    shown(404, When::InGroups("does not exist"), 605, NO_ROOM),
    shown(404, When::Holds(&["do not find this group"]), 705, NO_ROOM),
    shown(404, When::Holds(&["does not exist"]), 705, NO_ROOM),
    row(404, When::Holds(&["username", "doesn't exist!"]), 204),
    row(404, When::Holds(&["user not found"]), 204),
    row(404, When::SaysUpon("Service resource not found", "UserNotFoundException"), 204),
    row(404, When::Says("user session pin message not exist"), 51),
    row(406, When::Code(90004), 54),
    row(429, When::Holds(&["The request has reached the maximum limit"]), 50),
    row(503, When::Holds(&["The request has reached the maximum limit"]), 50),
    row(429, When::Holds(&["upload client logs reached limit"]), 50),
    row(503, When::Holds(&["upload client logs reached limit"]), 50),
    shown(429, When::Otherwise, 500, "Server is busy."),
    shown(503, When::Otherwise, 500, "Server is busy."),
    row(500, When::Code(40006), 503),
    row(500, When::Code(40008), 503),
    row(500, When::Code(40010), 503),
    row(500, When::Code(90005), -2),
    row(500, When::Code(99999), -2),
    row(500, When::Says("translte failed!"), 1204),
];

/// What of an error's body is read: the sentence is under one name or the other (rest.md 0.5).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: Option<String>,
    error_code: Option<i64>,
    error_description: Option<String>,
    exception: Option<String>,
    result: Option<String>,
}

impl Failure {
    /// Why a call was refused. Where there is no answer at all it is -2; an answer of 200 that
    /// cannot be read is that too. `path` tells groups from rooms, as it does in the SDK.
    pub(crate) fn of_service(call: &str, path: &str, answer: Result<&HttpAnswer, &str>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(reason) => return Self::new(-2, reason).with(json!({ "call": call })),
        };
        let refused = answer.refused();
        let sentence = refused.error_description.or(refused.result).unwrap_or_else(|| excerpt(&answer.body));
        let row = ROWS.iter().find(|row| {
            row.status == answer.status
                && match row.when {
                    When::Code(code) => refused.error_code == Some(code),
                    When::CodeAndWords(code, words) => {
                        refused.error_code == Some(code) && sentence.contains(words)
                    }
                    When::SaysUpon(text, exception) => {
                        sentence == text && refused.exception.as_deref() == Some(exception)
                    }
                    When::Says(text) => sentence == text,
                    When::Holds(texts) => texts.iter().all(|text| sentence.contains(text)),
                    When::InGroups(text) => path.contains("chatgroups") && sentence.contains(text),
                    When::Otherwise => true,
                }
        });
        let (code, message) = match row {
            Some(row) => (row.code, row.shown.map_or(sentence, str::to_owned)),
            None => (17, sentence),
        };
        Self::new(code, message)
            .with(json!({ "call": call, "status": answer.status, "data": excerpt(&answer.body) }))
    }

    /// Why an upload failed: 101 whatever the cause (clause send.attachment.upload-error), with what the service
    /// said.
    pub(crate) fn of_upload(answer: Result<&HttpAnswer, &str>) -> Self {
        Self::of_transfer(101, "upload", answer)
    }

    /// Why a download failed: 200 unless 4.x tells the cause apart (rest.md A.5), with what the service said.
    pub(crate) fn of_download(answer: Result<&HttpAnswer, &str>) -> Self {
        let code = answer.map_or(200, |answer| {
            let refused = answer.refused();
            match answer.status {
                403 if refused.error_description.as_deref() == Some("chatfile no permission") => 222,
                403 => 603,
                404 if refused.error.as_deref() == Some("file_expired") => 223,
                500 => 503,
                _ => 200,
            }
        });
        Self::of_transfer(code, "download", answer)
    }

    fn of_transfer(code: i32, what: &str, answer: Result<&HttpAnswer, &str>) -> Self {
        match answer {
            Ok(answer) => {
                let sentence = answer.error_description().unwrap_or_else(|| excerpt(&answer.body));
                Self::new(code, sentence)
                    .with(json!({ "call": what, "status": answer.status, "data": excerpt(&answer.body) }))
            }
            Err(reason) => Self::new(code, reason).with(json!({ "call": what })),
        }
    }
}

impl HttpAnswer {
    /// What an error's body says, as far as it can be read.
    fn refused(&self) -> Refused {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
