//! Ctrl-C and SIGTERM: the first ends the run in order, the second at once. And what is said of a panic.

use std::panic::PanicHookInfo;
use std::sync::Arc;

use conformance::exit::Exit;
use conformance::interrupt::Interrupt;

use crate::exit::{Problem, harness};
use crate::output::{Stream, complain};

/// What a run says when it is interrupted.
pub(crate) const RUN: &str =
    "interrupted: no scenario begins any more, and what ran is told; once more ends it at once";

/// From now on signals go to this run, which says this when one comes; nothing, if it says nothing.
pub(crate) fn listen(says: &'static str) -> Result<Arc<Interrupt>, Problem> {
    let interrupt = Arc::new(Interrupt::default());
    let run = Arc::clone(&interrupt);
    let set = ctrlc::set_handler(move || {
        if run.is_raised() {
            run.kill();
            std::process::exit(Exit::Interrupted.code().into());
        }
        if !says.is_empty() {
            Stream::Err.tell(format_args!("{says}\n"));
        }
        run.raise();
    });
    set.map_err(|error| harness(format!("Ctrl-C cannot be listened to: {error}")))?;
    Ok(interrupt)
}

/// A panic of any thread is a bug of the harness: it says so, and ends the program with the code for it.
pub(crate) fn tell_of_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        tell(panic);
        complain(
            "the harness itself is at fault, not the client: please report the lines above and the command line",
        );
        std::process::exit(Exit::Harness.code().into());
    }));
}
