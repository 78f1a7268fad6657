//! Worlds as a document over HTTP: what they are just now, and another state in their place.
//!
//! Its text is read and written on another thread: of a large one that takes seconds, and others are served meanwhile.

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::route::Asked;
use super::{Refusal, bad, no_room, told};
use crate::control_api::{Placed, PlacedWorld};
use crate::machine::AppKey;
use crate::machine::state::{CONTENT_BYTES_MAX, StateFault, StateFile};
use crate::shell::content::{self, Answer};
use crate::shell::world::state::{Contents, Loaded};
use crate::shell::worlds::Replaced;

/// One world.
pub(super) async fn one(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let mut contents = Contents::new(asked.worlds.blobs());
    let state = asked.world()?.state(&mut contents);
    whole(&contents)?;
    Ok(written(StateFile::of(vec![state])).await)
}

/// Every world.
pub(super) async fn all(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let mut contents = Contents::new(asked.worlds.blobs());
    let file = asked.worlds.states(&mut contents);
    whole(&contents)?;
    Ok(written(file).await)
}

async fn written(file: StateFile) -> Answer {
    let text = spawn_blocking(move || file.text()).await.expect("a bug of ours in how a state is written");
    content::json(200, text.into())
}

async fn read(body: Bytes) -> Result<StateFile, Refusal> {
    let file = spawn_blocking(move || StateFile::parse(&body)).await;
    file.expect("a bug of ours in how a state is read").map_err(|fault| refused(&fault))
}

/// Refuses a state that would lack attachments.
fn whole(contents: &Contents<'_>) -> Result<(), Refusal> {
    match contents.left_out {
        (0, _) => Ok(()),
        (files, bytes) => Err(Refusal {
            status: 413,
            error: "attachments_too_large",
            description: format!(
                "{files} attachments with {bytes} bytes do not fit: a state has at most {CONTENT_BYTES_MAX} bytes of them; \
                 DELETE the world, or begin it anew without the large ones"
            ),
        }),
    }
}

/// A state in the place of one world, made if it is new.
pub(super) async fn put_one(asked: &Asked<'_>, body: Bytes) -> Result<Answer, Refusal> {
    let file = read(body).await?;
    let app_key = asked.app_key();
    match &file.worlds[..] {
        [world] if world.app_key == app_key.as_str() => {}
        [world] => {
            let description = format!(
                "nothing was done: this is the state of {}, and the path names {app_key}",
                world.app_key
            );
            return Err(bad("other_world", description));
        }
        worlds => {
            let description = format!(
                "nothing was done: a state of one world is expected, and this has {}; PUT /_mock/state takes them all",
                worlds.len()
            );
            return Err(bad("not_one_world", description));
        }
    }
    let mut loaded = Loaded::read_all(&file, asked.worlds.blobs()).map_err(|fault| refused(&fault))?;
    let (_, loaded) = loaded.pop().expect("there is one");
    let cut = asked.worlds.place(app_key, loaded).ok_or_else(no_room)?;
    Ok(told(200, &placed(vec![(app_key.clone(), cut)], Vec::new())))
}

/// A state in the place of all worlds; those that it does not have are forgotten.
pub(super) async fn put_all(asked: &Asked<'_>, body: Bytes) -> Result<Answer, Refusal> {
    let file = read(body).await?;
    let Replaced { worlds, forgotten } = asked.worlds.replace_all(&file).map_err(|fault| refused(&fault))?;
    Ok(told(200, &placed(worlds, forgotten)))
}

fn placed(worlds: Vec<(AppKey, usize)>, forgotten: Vec<AppKey>) -> Placed {
    let one = |(app_key, connections_cut): (AppKey, usize)| PlacedWorld {
        app_key: app_key.to_string(),
        connections_cut,
    };
    Placed {
        worlds: worlds.into_iter().map(one).collect(),
        forgotten: forgotten.iter().map(ToString::to_string).collect(),
    }
}

fn refused(fault: &StateFault) -> Refusal {
    bad("state", format!("nothing was done: {fault}"))
}
