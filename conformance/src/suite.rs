//! Many scenarios at once: workers with a child process each, one server for all, a world for each scenario.

mod keep;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::bundle::Circumstances;
use crate::client::{Client, Day};
use crate::driver::subprocess::{self, Program, Subprocess};
use crate::driver::{Driver, DriverError, Hello};
use crate::exceptions::{Exceptions, Sight};
use crate::hold::{After, Held, Holder};
use crate::host::{Host, HostError};
use crate::interrupt::{Doomed, Interrupt};
use crate::judge::{self, Finding};
use crate::real_time::Stopwatch;
use crate::record::Records;
use crate::report::model::Evidence;
use crate::run::{Failure, Limits, Outcome, Run, ShownError, run_and, shown};
use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::transcript::{Sent, Transcript};
use crate::verdict::{Verdict, verdict};
use keep::{Remains, is_failure};

pub use keep::{Bundles, BundlesOf, Keep, Kept};

/// How often in a row a client's process may refuse to start again before nobody tries any more: each try may
/// take as long as a hello may.
const STARTS_FAILED_MAX: usize = 3;

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The client.
    pub client: &'a Client,
    /// The scenarios, in the order of the report.
    pub scenarios: &'a [&'a Scenario],
    /// How many workers.
    pub jobs: usize,
    /// How long a step waits.
    pub limits: Limits,
    /// How long a child is waited for.
    pub process: subprocess::Limits,
    /// The client's records; `None`: they are left alone.
    pub records: Option<&'a Records>,
    /// What is kept of each scenario beyond its judgement.
    pub keep: Keep<'a>,
    /// How often a scenario that failed is tried again.
    pub retries: u32,
    /// What a failure means for the others.
    pub on_failure: OnFailure,
    /// Ends the run before everything was begun.
    pub interrupt: Option<&'a Interrupt>,
    /// Who looks at the world of a failure before it is forgotten.
    pub holder: Option<&'a dyn Holder>,
    /// The seed by which the server's worlds are nasty: each failure tells it.
    pub nasty: Option<u64>,
    /// Each client's process is ended at a moment of each scenario that this seed draws: for tests of the harness.
    pub kill_clients: Option<u64>,
}

/// What a failure means for the scenarios that have not begun by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They are run.
    #[default]
    GoOn,
    /// They are not.
    Stop,
}

impl<'a> Plan<'a> {
    /// Everything else as it usually is: a scenario at a time, patient, nothing recorded or kept, each tried once.
    pub fn new(client: &'a Client, scenarios: &'a [&'a Scenario]) -> Self {
        let within = Duration::from_secs(5);
        Self {
            client,
            scenarios,
            jobs: 1,
            limits: Limits { expect: within, quiet: within },
            process: subprocess::Limits::default(),
            records: None,
            keep: Keep::default(),
            retries: 0,
            on_failure: OnFailure::default(),
            interrupt: None,
            holder: None,
            nasty: None,
            kill_clients: None,
        }
    }
}

/// What became of one scenario.
#[derive(Debug)]
pub struct Evaluated<'a> {
    /// Which.
    pub scenario: &'a Scenario,
    /// The judgement.
    pub verdict: Verdict,
    /// What the client did wrong on the wire, known or not, and how often.
    pub findings: Vec<(Finding, usize)>,
    /// All that the client sent, if the plan says to keep it.
    pub sent: Vec<Sent>,
    /// What a report shows of it, if the plan says to keep it.
    pub evidence: Option<Evidence>,
    /// The bundle that was written.
    pub bundle: Option<PathBuf>,
    /// Why no bundle was written, though one was to be.
    pub unwritten: Option<String>,
    /// How long it took, all tries together.
    pub took: Duration,
    /// How often it was tried.
    pub tries: u32,
    /// Whether its record was compared, or would have been but for a failure.
    pub recorded: bool,
    /// What the client showed of errors of the catalog.
    pub shown: Vec<ShownError>,
}

/// What became of them all.
#[derive(Debug)]
pub struct Suite<'a> {
    /// Who the client said it is.
    pub hello: Hello,
    /// Each that ran, in the order of the plan.
    pub evaluated: Vec<Evaluated<'a>>,
    /// Those that were never begun, or not brought to their end, for the run was ended.
    pub not_run: Vec<&'a Scenario>,
    /// What was wrong with the server: then nothing that failed says anything of the client.
    pub server_fault: Option<HostError>,
}

/// Runs a plan. `done` hears of each scenario as it ends, and how many are left. Fails only when the client
/// could not be started even once.
pub fn run_all<'a>(
    host: &dyn Host,
    plan: Plan<'a>,
    mut done: impl FnMut(&Evaluated<'a>, usize),
) -> Result<Suite<'a>, DriverError> {
    let program = plan.client.program();
    // Started here and given to the first worker: whether it can be is known before anything is run.
    let first = plan.start(&program)?;
    let hello = first.hello().clone();
    let exceptions = &Exceptions::of(plan.client, &hello.version);
    let first = Mutex::new(Some(first));
    let next = AtomicUsize::new(0);
    let mut slots: Vec<Option<Evaluated<'a>>> = plan.scenarios.iter().map(|_| None).collect();
    let server_fault = Mutex::new(None);
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let (ended, results) = mpsc::channel();
        for _ in 0..plan.jobs.clamp(1, plan.scenarios.len().max(1)) {
            let ended = ended.clone();
            let (first, next, program, server_fault) = (&first, &next, &program, &server_fault);
            let hello = &hello;
            let stopped = &stopped;
            scope.spawn(move || {
                let child = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                let mut worker =
                    Worker { host, plan, hello, exceptions, program, child, starts_failed: 0, server_fault };
                while !stopped.load(Ordering::SeqCst) && !plan.is_interrupted() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = plan.scenarios.get(index) else { return };
                    let evaluated = worker.evaluate(scenario);
                    if is_failure(&evaluated.verdict) {
                        if plan.is_interrupted() {
                            // Nobody knows what it would have come to.
                            return;
                        }
                        // Here, not where it is told of: by then this worker would have begun another.
                        if plan.on_failure == OnFailure::Stop {
                            stopped.store(true, Ordering::SeqCst);
                        }
                    }
                    if ended.send((index, evaluated)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        let mut left = plan.scenarios.len();
        for (index, evaluated) in results {
            left -= 1;
            done(&evaluated, left);
            slots[index] = Some(evaluated);
        }
    });
    let (mut evaluated, mut not_run) = (Vec::new(), Vec::new());
    for (slot, scenario) in slots.into_iter().zip(plan.scenarios) {
        match slot {
            Some(one) => evaluated.push(one),
            None => not_run.push(*scenario),
        }
    }
    let server_fault = server_fault.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Suite { hello, evaluated, not_run, server_fault })
}

/// What is to be said of a run.
struct Judged {
    findings: Vec<(Finding, usize)>,
    verdict: Verdict,
}

fn judged(records: Option<&Records>, exceptions: &Exceptions<'_>, scenario: &Scenario, run: &Run) -> Judged {
    let trace = &run.trace;
    let findings = judge::everything(&trace.rows, &trace.app_key, run.ended_at, &run.findings);
    let record =
        || records?.compare(scenario, &Transcript::new(&trace.rows, &trace.app_key, trace.staged).text());
    let outcome = shown::outcome(run, exceptions.client());
    let verdict = verdict(exceptions, &scenario.name, &outcome, &findings, record);
    Judged { findings, verdict }
}

impl<'a> Plan<'a> {
    /// The client's records, if this scenario has one.
    fn records_of(&self, scenario: &Scenario) -> Option<&'a Records> {
        self.records.filter(|_| scenario.unrecorded.is_none() && self.client.records(&scenario.name))
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(Interrupt::is_raised)
    }

    /// A process of the client, which goes with the run.
    fn start(&self, program: &Program) -> Result<Subprocess, DriverError> {
        Subprocess::start_watched(program, self.process, |child| {
            if let Some(interrupt) = self.interrupt {
                interrupt.watch(child);
            }
        })
    }
}

impl Suite<'_> {
    /// What a client's file and, after a run of every scenario, its records hold and nothing needs any more, or whose
    /// time is over. `all` are the names of all scenarios; `None` if those that ran are not the repository's.
    pub fn stale(
        &self,
        client: &Client,
        records: Option<&Records>,
        all: Option<&BTreeSet<&str>>,
        today: Day,
    ) -> Vec<String> {
        let sight = Sight::new(self.evaluated.iter().map(Into::into), all);
        let stale = Exceptions::of(client, &self.hello.version).stale(&sight, today);
        let mut lines: Vec<String> = stale.into_iter().map(|stale| stale.message).collect();
        let whole = all.is_some_and(|all| all.len() == self.evaluated.len());
        if let Some(records) = records.filter(|_| whole) {
            let compared: BTreeSet<&str> =
                self.evaluated.iter().filter(|one| one.recorded).map(|one| &*one.scenario.name).collect();
            lines.extend(records.unreferenced(&compared));
        }
        lines
    }
}

struct Worker<'w, 'a> {
    host: &'w dyn Host,
    plan: Plan<'a>,
    hello: &'w Hello,
    exceptions: &'w Exceptions<'w>,
    program: &'w Program,
    child: Option<Subprocess>,
    starts_failed: usize,
    /// The first fault of the server, whoever of the workers met it.
    server_fault: &'w Mutex<Option<HostError>>,
}

impl<'a> Worker<'_, 'a> {
    /// As often as the plan allows, until it is as expected. What is kept is of the first failure.
    fn evaluate(&mut self, scenario: &'a Scenario) -> Evaluated<'a> {
        let mut first = self.try_once(scenario);
        while let Verdict::Failed(mismatches) = &mut first.verdict
            && first.tries <= self.plan.retries
            && !self.plan.is_interrupted()
        {
            let again = self.try_once(scenario);
            first.tries += 1;
            first.took += again.took;
            if !is_failure(&again.verdict) {
                first.recorded = again.recorded;
                first.verdict = Verdict::Flaky(std::mem::take(mismatches));
            }
        }
        first
    }

    fn try_once(&mut self, scenario: &'a Scenario) -> Evaluated<'a> {
        let watch = Stopwatch::start();
        let run = self.run(scenario);
        let records = self.plan.records_of(scenario);
        let Judged { findings, mut verdict } = judged(records, self.exceptions, scenario, &run);
        if let (Some(seed), Verdict::Failed(mismatches)) = (self.plan.nasty, &mut verdict) {
            for mismatch in mismatches {
                mismatch.message.push_str(&format!("\n  nasty seed {seed}"));
            }
        }
        let compared = match &verdict {
            Verdict::Passed | Verdict::Failed(_) | Verdict::Flaky(_) | Verdict::StaleKnownFailure(_) => true,
            Verdict::Unsupported { .. } | Verdict::KnownFailure { .. } => false,
        };
        let recorded = compared && records.is_some();
        let by = Circumstances {
            client: &self.plan.client.name,
            command: &self.plan.client.command,
            hello: self.hello,
            seed: 0,
            limits: self.plan.limits,
        };
        let Remains { sent, evidence, bundle, unwritten } =
            self.plan.keep.of(scenario, &run, &verdict, &findings, by);
        let took = watch.elapsed();
        let shown = run.shown;
        Evaluated {
            scenario,
            verdict,
            findings,
            sent,
            evidence,
            bundle,
            unwritten,
            took,
            tries: 1,
            recorded,
            shown,
        }
    }

    /// One scenario with this worker's child, which is started again if the one before was lost.
    fn run(&mut self, scenario: &Scenario) -> Run {
        let failed = |message: String| Run {
            outcome: Outcome::Failed(Failure { step: None, message }),
            trace: Trace::default(),
            findings: Vec::new(),
            ended_at: None,
            lost: true,
            server_fault: None,
            shown: Vec::new(),
        };
        if let Some(fault) = self.server_gone() {
            return failed(format!("not run: {fault}"));
        }
        if self.child.is_none() {
            if self.starts_failed >= STARTS_FAILED_MAX {
                let times = STARTS_FAILED_MAX;
                return failed(format!("not run: the client could not be started {times} times in a row"));
            }
            match self.plan.start(self.program) {
                Ok(child) => {
                    self.starts_failed = 0;
                    self.child = Some(child);
                }
                Err(error) => {
                    self.starts_failed += 1;
                    return failed(error.to_string());
                }
            }
        }
        let child = self.child.as_mut().expect("it was started above");
        let Plan { holder, limits, .. } = self.plan;
        let mut doomed;
        let driver: &mut dyn Driver = match self.plan.kill_clients {
            None => child,
            Some(seed) => {
                doomed = Doomed::new(child, seed, &scenario.name);
                &mut doomed
            }
        };
        let run = run_and(self.host, driver, scenario, limits, |run| {
            let Some(holder) = holder else { return After::Forget };
            let judged = judged(self.plan.records_of(scenario), self.exceptions, scenario, run);
            match &judged.verdict {
                Verdict::Failed(mismatches) => {
                    let addresses = &self.host.addresses();
                    holder.hold(&Held { scenario, run, mismatches, addresses })
                }
                Verdict::Passed
                | Verdict::Flaky(_)
                | Verdict::StaleKnownFailure(_)
                | Verdict::Unsupported { .. }
                | Verdict::KnownFailure { .. } => After::Forget,
            }
        });
        if run.lost {
            self.child = None;
        }
        if let Some(fault) = &run.server_fault {
            self.server_fault().get_or_insert_with(|| fault.clone());
        }
        run
    }

    /// Why nothing more can be run.
    fn server_gone(&self) -> Option<HostError> {
        self.server_fault().clone().filter(HostError::is_final)
    }

    fn server_fault(&self) -> MutexGuard<'_, Option<HostError>> {
        self.server_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
