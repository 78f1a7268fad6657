//! Which server scenarios run against: one of our own, or that of `--server`.

use conformance::exit::Exit;
use conformance::host::{Host, Remote};
use mock_server::control::Settings;
use mock_server::shell::{MockServer, Options};

/// How many rows of its tape a world keeps: the largest scenario needs some ten thousand.
const TAPE_ROWS_MAX: usize = 200_000;

/// Why there is none.
pub(super) struct NoHost {
    pub(super) exit: Exit,
    pub(super) message: String,
}

/// The server at this URL, or one of our own whose worlds keep their tapes and let in nobody whom the scenario does not
/// name.
pub(super) fn host(url: Option<&str>) -> Result<Box<dyn Host>, NoHost> {
    if let Some(url) = url {
        return match Remote::connect(url) {
            Ok(remote) => Ok(Box::new(remote)),
            Err(error) => Err(NoHost { exit: error.exit(), message: error.to_string() }),
        };
    }
    let options = Options {
        tape: true,
        tape_rows_max: TAPE_ROWS_MAX,
        // A client that names another app key must not find a world there that lets anybody in.
        settings: Settings { strict: true, ..Settings::default() },
        ..Options::default()
    };
    match MockServer::start(options) {
        Ok(server) => Ok(Box::new(server)),
        Err(error) => Err(NoHost {
            exit: Exit::Harness,
            message: format!("the mock server could not be started: {error}"),
        }),
    }
}
