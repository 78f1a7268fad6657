//! Which server scenarios run against: one of our own, or that of `--server`.

use conformance::host::{Host, Remote};
use mock_server::control::Settings;
use mock_server::shell::{MockServer, Options};

use crate::cli::PaceArgs;
use crate::exit::{Problem, harness};

/// How many rows of its tape a world keeps: the largest scenario needs some ten thousand.
const TAPE_ROWS_MAX: usize = 200_000;

/// The server that is asked for, its worlds nasty if there is a seed, or one of our own whose worlds keep their tapes and
/// let in nobody whom the scenario does not name.
pub(crate) fn host(pace: &PaceArgs) -> Result<Box<dyn Host>, Problem> {
    let nasty = pace.nasty;
    if let Some(url) = &pace.server {
        return match Remote::connect(url, pace.token.as_deref()) {
            Ok(remote) => Ok(Box::new(remote.with_nasty(nasty))),
            Err(error) => Err(Problem { exit: error.exit(), message: error.to_string() }),
        };
    }
    let options = Options {
        tape: true,
        tape_rows_max: TAPE_ROWS_MAX,
        // A client that names another app key must not find a world there that lets anybody in.
        settings: Settings { strict: true, ..Settings::default() },
        nasty,
        ..Options::default()
    };
    match MockServer::start(options) {
        Ok(server) => Ok(Box::new(server)),
        Err(error) => Err(harness(format!("the mock server could not be started: {error}"))),
    }
}
