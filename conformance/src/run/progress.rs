//! Whether an upload's progress is one: it came, it never fell, and it ended at the whole (clauses
//! send.attachment.*). Steps never see it: how often it is reported is the client's and the network's affair. And
//! they go on when it is none: what the upload brings about is worth knowing all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::driver::{Device, Event, EventKind};

/// The uploads that steps began.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    /// By device and handle.
    begun: BTreeMap<(Device, String), Upload>,
    /// The first thing that was wrong with one since it was last asked for.
    wrong: Option<String>,
}

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
        self.begun.insert((device.clone(), handle.to_owned()), Upload::default());
    }

    /// Takes progress out of what a device shows, and judges it when its upload is done.
    pub(super) fn hear(&mut self, device: &Device, event: &Event) -> Heard {
        let wrong = self.judge(device, event).err();
        self.wrong = self.wrong.take().or(wrong);
        if event.kind == EventKind::UploadProgress { Heard::Progress } else { Heard::Event }
    }

    /// What was wrong since this was last asked.
    pub(super) fn take_wrong(&mut self) -> Option<String> {
        self.wrong.take()
    }

    fn judge(&mut self, device: &Device, event: &Event) -> Result<(), String> {
        let handle = event.fields.get("handle").and_then(Value::as_str).unwrap_or_default();
        let upload = self.begun.get_mut(&(device.clone(), handle.to_owned()));
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
                wrong.map_or(Ok(()), |wrong| Err(format!("{device} showed {event}: {wrong}")))
            }
            (EventKind::Uploaded, Some(upload)) => {
                upload.ended = true;
                match upload.last {
                    Some((loaded, total)) if loaded == total => Ok(()),
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
                Ok(())
            }
            (_, _) => Ok(()),
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
        for event in events {
            let event: Event = serde_json::from_value(event.clone()).expect("an event");
            let heard = uploads.hear(&device, &event);
            assert_eq!(heard == Heard::Progress, event.kind == EventKind::UploadProgress);
        }
        let wrong = uploads.take_wrong().unwrap_or_default();
        assert!(if said.is_empty() { wrong.is_empty() } else { wrong.ends_with(said) }, "{wrong}");
    }
}
