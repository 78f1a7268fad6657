//! What uploads were answered with, so that a message which names one can be held against it.

use std::collections::BTreeMap;

use mock_server::tape::Row;
use serde_json::Value as Json;

use crate::dissect::{Field, Tree};
use crate::lane::requests;

/// The secrets of uploads, by uuid; of one that opens without, none.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<String, Option<String>>);

impl Uploads {
    /// Those of a world (rest.md A.4).
    pub(super) fn of(tape: &[Row]) -> Self {
        let lanes = requests(tape);
        let uploads = lanes.iter().flat_map(|lane| &lane.requests).filter(|request| {
            let path = request.path.split('?').next();
            request.method == "POST" && path == Some("/chatfiles") && request.status == 200
        });
        let mut secrets = BTreeMap::new();
        for upload in uploads {
            let Ok(answer) = serde_json::from_slice::<Json>(upload.answer) else { continue };
            for entity in answer["entities"].as_array().into_iter().flatten() {
                if let Some(uuid) = entity["uuid"].as_str() {
                    let secret = entity["share-secret"].as_str().map(str::to_owned);
                    secrets.insert(uuid.to_owned(), secret);
                }
            }
        }
        Self(secrets)
    }

    /// What is wrong with the secret of an attachment that was uploaded here: without it its recipients cannot open
    /// what they got.
    pub(super) fn wrong_secret(&self, content: &Tree<'_>) -> Option<String> {
        let path = content.text("remotePath")?;
        let uuid = path.split('?').next()?.rsplit('/').next()?;
        let secret = self.0.get(uuid)?.as_deref()?;
        let got = content.field("secretKey").map(Field::word);
        if got.as_deref() == Some(secret) {
            return None;
        }
        let got = got.map_or_else(|| "nothing".to_owned(), |got| format!("{got:?}"));
        Some(format!("secretKey: expected {secret:?}, as the upload was answered, got {got}"))
    }
}
