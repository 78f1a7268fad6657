//! Talks to a shim and says in plain words what is wrong with it: one check after another, each by what was seen and what
//! to do.
//!
//! It looks at the line protocol and at a few calls that every scenario rests on; whether the client behaves well is for
//! the scenarios. Of a broken shim it goes on to see as much as can be seen.

mod conversation;
mod curiosity;
mod hello;
mod inverted;
mod patient;

use std::fmt::Write as _;
use std::time::Duration;

use mock_server::control::Settings;
use mock_server::shell::{MockServer, Options};

use crate::driver::subprocess::{Limits, Program};
use crate::exit::Exit;
use patient::Patient;

/// How long the shim is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From its start to its hello.
    pub hello: Duration,
    /// From a request to its answer.
    pub answer: Duration,
    /// For an event that must come.
    pub event: Duration,
    /// From the end of its stdin to its end.
    pub leave: Duration,
    /// For what must not come.
    pub nothing: Duration,
}

/// What was found of one shim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// In the order of looking.
    pub checks: Vec<Check>,
    /// The harness would not take it for a client at all.
    pub not_started: bool,
    /// What must fail has passed, and not by the shim.
    pub harness_at_fault: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// In a word or two.
    pub about: &'static str,
    /// What came of it.
    pub finding: Finding,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// As DRIVER.md asks for; what was seen.
    Healthy(String),
    /// Something worth knowing that nobody judges.
    Told(String),
    /// Not as DRIVER.md asks for.
    Wrong {
        /// What was seen.
        seen: String,
        /// How to mend it.
        mend: String,
    },
    /// It could not be looked at, and why.
    Skipped(String),
}

/// The app key of the world in which the shim is looked at.
const APP_KEY: &str = "doctor#consultation";

/// A server for [`examine`]: strict, and it keeps the tape that shims are held against.
pub fn server() -> std::io::Result<MockServer> {
    let settings = Settings { strict: true, ..Settings::default() };
    MockServer::start(Options { tape: true, settings, ..Options::default() })
}

/// Looks at a shim from its start to its end. `seed` decides the names that nobody knows.
pub fn examine(program: &Program, server: &MockServer, seed: u64, patience: Patience) -> Examination {
    let mut examination = Examination::default();
    let mut patient = match Patient::start(program) {
        Ok(patient) => patient,
        Err(error) => {
            examination.wrong(
                "start",
                error,
                "the command is started without a shell: check its path and that it may be executed, and write it as in \
                 a client's \"command\" or behind `--`",
            );
            examination.not_started = true;
            return examination;
        }
    };
    let Some(hello) = hello::check(&mut examination, &mut patient, patience) else {
        examination.not_started = true;
        return examination;
    };
    conversation::check(&mut examination, patient, &hello, server, seed, patience);
    curiosity::check(&mut examination, program, server, seed, patience);
    if !examination.not_started {
        inverted::check(&mut examination, program, server, seed, patience);
    }
    examination
}

impl Examination {
    /// What the program ends with.
    pub fn exit(&self) -> Exit {
        if self.harness_at_fault {
            Exit::Harness
        } else if self.not_started {
            Exit::NotStarted
        } else if self.wrong_checks() > 0 {
            Exit::Failures
        } else {
            Exit::AsExpected
        }
    }

    /// All of it for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Check { about, finding } in &self.checks {
            let (word, said, mend) = match finding {
                Finding::Healthy(seen) => ("ok", seen, None),
                Finding::Told(seen) => ("told", seen, None),
                Finding::Wrong { seen, mend } => ("WRONG", seen, Some(mend)),
                Finding::Skipped(why) => ("skipped", why, None),
            };
            let said = said.replace('\n', "\n                            ");
            writeln!(text, "{word:>7}  {about:<17}  {said}").expect("a String takes all");
            if let Some(mend) = mend {
                writeln!(text, "{:>7}  {:<17}  do: {mend}", "", "").expect("a String takes all");
            }
        }
        let ending = match (self.wrong_checks(), self.harness_at_fault) {
            (_, true) => "the harness is at fault: what must fail has passed; please report it".to_owned(),
            (0, false) => format!("healthy: {} checks", self.checks.len()),
            (1, false) => {
                "1 check says what is wrong; conformance/DRIVER.md says what is asked for".to_owned()
            }
            (wrong, false) => {
                format!(
                    "{wrong} checks say what is wrong; begin with the first; conformance/DRIVER.md says what is asked for"
                )
            }
        };
        writeln!(text, "{ending}").expect("a String takes all");
        text
    }

    fn wrong_checks(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.finding, Finding::Wrong { .. })).count()
    }

    fn add(&mut self, about: &'static str, finding: Finding) {
        self.checks.push(Check { about, finding });
    }

    fn healthy(&mut self, about: &'static str, seen: impl Into<String>) {
        self.add(about, Finding::Healthy(seen.into()));
    }

    fn told(&mut self, about: &'static str, seen: impl Into<String>) {
        self.add(about, Finding::Told(seen.into()));
    }

    fn wrong(&mut self, about: &'static str, seen: impl Into<String>, mend: impl Into<String>) {
        self.add(about, Finding::Wrong { seen: seen.into(), mend: mend.into() });
    }

    fn skipped(&mut self, about: &'static str, why: impl Into<String>) {
        self.add(about, Finding::Skipped(why.into()));
    }
}

impl Default for Patience {
    fn default() -> Self {
        let Limits { hello, answer } = Limits::default();
        Self {
            hello,
            answer,
            event: Duration::from_secs(5),
            leave: Duration::from_secs(1),
            nothing: Duration::from_millis(300),
        }
    }
}

/// A word that no shim can know, different for each purpose and the same for the same seed.
fn word(seed: u64, purpose: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in purpose.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
}
