//! Whether an upload's progress is one: it came, it never fell, and it ended at the whole (clauses
//! send.attachment.*). Steps never see it: how often it is reported is the client's and the network's affair.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::driver::{Device, Event, EventKind};

/// The uploads that steps began, by device and handle.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<(Device, String), Upload>);

#[derive(Clone, Copy, Debug, Default)]
struct Upload {
    /// What was reported last: loaded, total.
    last: Option<(u64, u64)>,
    ended: bool,
}

/// What an event is to an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was progress, and is done with.
    Progress,
    /// It is for the steps.
    Event,
}

impl Uploads {
    /// A step has begun an upload.
    pub(super) fn began(&mut self, device: &Device, handle: &str) {
        self.0.insert((device.clone(), handle.to_owned()), Upload::default());
    }

    /// Takes progress out of what a device shows, and judges it when its upload is done.
    pub(super) fn hear(&mut self, device: &Device, event: &Event) -> Result<Heard, String> {
        let handle = event.fields.get("handle").and_then(Value::as_str).unwrap_or_default();
        let upload = self.0.get_mut(&(device.clone(), handle.to_owned()));
        match (event.kind, upload) {
            (EventKind::UploadProgress, None) => {
                Err(format!("{device} showed {event}, and no step began an upload of that handle"))
            }
            (EventKind::UploadProgress, Some(upload)) => {
                let number = |name: &str| event.fields.get(name).and_then(Value::as_u64);
                let (Some(loaded), Some(total)) = (number("loaded"), number("total")) else {
                    return Err(format!("{device} showed {event}; expected whole numbers of bytes"));
                };
                let wrong = match upload.last {
                    _ if upload.ended => Some("after the upload's end".to_owned()),
                    _ if loaded > total => Some("more than the whole".to_owned()),
                    Some((before, _)) if loaded < before => Some(format!("less than before, {before}")),
                    Some((_, before)) if total != before => {
                        Some(format!("another whole than before, {before}"))
                    }
                    Some(_) | None => None,
                };
                upload.last = Some((loaded, total));
                match wrong {
                    None => Ok(Heard::Progress),
                    Some(wrong) => Err(format!("{device} showed {event}: {wrong}")),
                }
            }
            (EventKind::Uploaded, Some(upload)) => {
                upload.ended = true;
                match upload.last {
                    Some((loaded, total)) if loaded == total => Ok(Heard::Event),
                    Some((loaded, total)) => Err(format!(
                        "{device}'s upload {handle:?} is done, and its progress is not\n  \
                         upload_progress: expected loaded to end at total, got {loaded} of {total}"
                    )),
                    None => Err(format!(
                        "{device}'s upload {handle:?} is done, and it showed no progress\n  \
                         upload_progress: expected one or more, got none"
                    )),
                }
            }
            (EventKind::UploadFailed, Some(upload)) => {
                upload.ended = true;
                Ok(Heard::Event)
            }
            (_, _) => Ok(Heard::Event),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn progress(loaded: u64, total: u64) -> Value {
        json!({"upload_progress": {"handle": "m1", "loaded": loaded, "total": total}})
    }

    fn done() -> Value {
        json!({"uploaded": {"handle": "m1", "uuid": "u", "secret": null}})
    }

    #[rstest]
    #[case::rising(&[progress(1, 9), progress(9, 9), done()], "")]
    #[case::told_twice(&[progress(9, 9), progress(9, 9), done()], "")]
    #[case::none(&[done()], "expected one or more, got none")]
    #[case::not_to_the_end(&[progress(8, 9), done()], "expected loaded to end at total, got 8 of 9")]
    #[case::falling(&[progress(5, 9), progress(4, 9)], "less than before, 5")]
    #[case::beyond(&[progress(10, 9)], "more than the whole")]
    #[case::another_whole(&[progress(1, 9), progress(9, 10)], "another whole than before, 9")]
    #[case::late(&[progress(9, 9), done(), progress(9, 9)], "after the upload's end")]
    #[case::refused_early(&[progress(1, 9), json!({"upload_failed": {"handle": "m1", "type": 101}})], "")]
    #[case::of_nothing(&[json!({"upload_progress": {"handle": "m2", "loaded": 1, "total": 1}})], "no step began an upload of that handle")]
    #[case::in_words(&[json!({"upload_progress": {"handle": "m1", "loaded": "1", "total": 1}})], "expected whole numbers of bytes")]
    fn progress_comes_and_rises_and_ends(#[case] events: &[Value], #[case] said: &str) {
        let device: Device = "alice".parse().expect("a device");
        let mut uploads = Uploads::default();
        uploads.began(&device, "m1");
        let mut wrong = String::new();
        for event in events {
            let event: Event = serde_json::from_value(event.clone()).expect("an event");
            match uploads.hear(&device, &event) {
                Ok(heard) => assert_eq!(heard == Heard::Progress, event.kind == EventKind::UploadProgress),
                Err(why) => wrong = why,
            }
        }
        assert!(if said.is_empty() { wrong.is_empty() } else { wrong.ends_with(said) }, "{wrong}");
    }
}
