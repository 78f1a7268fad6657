//! The rounds: real server and bare relay in turns, with fresh processes each time.
//!
//! Turns rather than one after the other, since a shared machine is faster in one minute than in the next; a
//! ratio is taken within a round and the median of the rounds is shown. It pins nothing to a core and sets no
//! priority: that would measure a machine nobody has.

use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::load::Measured;
use crate::meter;
use crate::process::{self, Scratch, Server, Which};
use crate::scale;
use crate::socket::Door;
use crate::table::{self, Goal, Row};

/// What to compare, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// The release build of mock-server; without it, only the relay is measured
    #[arg(long)]
    mock_server: Option<PathBuf>,
    /// Rounds of each measurement
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Measured time of each run of the load
    #[arg(long, default_value_t = 1_000)]
    measured_ms: u64,
    /// Numbers of pairs
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    pairs: Vec<usize>,
    /// Doors
    #[arg(long, value_enum, value_delimiter = ',', default_value = "binary,sockjs")]
    doors: Vec<Door>,
    /// Idle connections for the memory figure; 0 leaves it out
    #[arg(long, default_value_t = 5_000)]
    idle: usize,
    /// Starts for the time to the first answer; 0 leaves it out
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Rounds of the growth figures, each about half a minute; 0 leaves them out
    #[arg(long, default_value_t = 3)]
    growth_rounds: usize,
}

/// What must hold on the binary door, with the number of pairs it is asked at.
const SPEED_GOALS: [(usize, f64); 2] = [(16, 0.80), (64, 0.85)];
const P99_RATIO_MAX: f64 = 1.2;
const CPU_RATIO_MAX: f64 = 1.25;
/// Seven frames are seven calls; the logins before them, which are counted too, are about 0.05 a message.
const CALLS_MAX: f64 = 7.3;
const IDLE_KIB_MAX: f64 = 12.0;
const FIRST_ANSWER_MS_MAX: f64 = 8.0;
const START_MIB_MAX: f64 = 6.0;
/// Above it, something else than a build just before has kept both cores busy for a minute.
const QUIET_LOAD_MAX: f64 = 2.0;
/// Enough pairs that calls of several connections meet in one turn of the event loop.
const COUNTED_PAIRS: usize = 16;

/// Runs the whole comparison and prints the table.
pub(crate) fn run(plan: &Plan) -> io::Result<()> {
    // The server that is started inherits it: two descriptors a connection are here and there.
    let limit = rlimit::increase_nofile_limit(u64::MAX)?;
    let needed = plan.idle as u64 + 100;
    if limit < needed {
        return Err(io::Error::other(format!(
            "{needed} open files are needed and the system allows {limit}: raise the hard limit or pass --idle {}",
            limit.saturating_sub(100)
        )));
    }
    println!("{}", meter::machine());
    if let Some(load) = meter::load_average().filter(|load| *load > QUIET_LOAD_MAX) {
        println!("the machine has other work (load average {load}): ratios of speed will say little");
    }
    println!(
        "one message = 7 frames, one message in flight per pair; {} rounds in turns, {} ms each\n",
        plan.rounds, plan.measured_ms
    );
    println!("{}", table::heading());
    for &door in &plan.doors {
        for &pairs in &plan.pairs {
            show(&speed(plan, door, pairs)?);
        }
        show(&[system_calls(plan, door)?]);
        if plan.idle > 0 {
            show(&[idle(plan, door)?]);
        }
    }
    if plan.starts > 0 {
        show(&start(plan)?);
    }
    if let (Some(mock_server), 1..) = (&plan.mock_server, plan.growth_rounds) {
        println!("\n{}", table::heading_of_growth());
        show(&scale::rows(mock_server, plan.growth_rounds)?);
    }
    Ok(())
}

/// As soon as they are known: a whole run takes minutes.
fn show(rows: &[Row]) {
    for row in rows {
        println!("{row}");
    }
}

impl Plan {
    fn sides(&self) -> impl Iterator<Item = Which> + use<> {
        [Some(Which::Bare), self.mock_server.is_some().then_some(Which::Real)].into_iter().flatten()
    }

    fn command(&self, which: Which, door: Door) -> io::Result<Command> {
        match (which, &self.mock_server) {
            (Which::Real, Some(binary)) => {
                let mut command = Command::new(binary);
                command.args(["--listen", "127.0.0.1:0"]);
                Ok(command)
            }
            (Which::Bare, _) | (Which::Real, None) => {
                let mut command = process::role("relay")?;
                command.args(["--door", door.name()]);
                Ok(command)
            }
        }
    }
}

/// One figure of both sides while the rounds go on.
#[derive(Default)]
struct Samples {
    bare: Vec<f64>,
    real: Vec<f64>,
}

impl Samples {
    fn push(&mut self, which: Which, value: Option<f64>) {
        match which {
            Which::Bare => self.bare.extend(value),
            Which::Real => self.real.extend(value),
        }
    }

    fn row(self, what: String, unit: &'static str, goal: Goal) -> Row {
        Row { what, unit, bare: self.bare, real: self.real, goal }
    }
}

fn speed(plan: &Plan, door: Door, pairs: usize) -> io::Result<Vec<Row>> {
    let [mut per_second, mut p50, mut p99, mut cpu, mut busy] = [(); 5].map(|()| Samples::default());
    for round in 0..plan.rounds {
        for which in plan.sides() {
            let server = Server::start(plan.command(which, door)?)?;
            let measured = load(&server, door, pairs, plan.measured_ms)?;
            server.end()?;
            if which == Which::Real && measured.mismatches > 0 {
                return Err(io::Error::other(format!(
                    "round {round}, {} door: {} answers or messages are not what was sent",
                    door.name(),
                    measured.mismatches
                )));
            }
            per_second.push(which, Some(measured.per_second));
            p50.push(which, Some(measured.p50_us));
            p99.push(which, Some(measured.p99_us));
            cpu.push(which, measured.server_cpu_us);
            busy.push(which, measured.server_busy);
        }
    }
    let binary = |goal| if door == Door::Binary { goal } else { Goal::None };
    let speed_goal = SPEED_GOALS.iter().find(|(at, _)| *at == pairs);
    let speed_goal = speed_goal.map_or(Goal::None, |(_, ratio)| Goal::RatioAtLeast(*ratio));
    let loaded = |goal| if pairs > 1 { binary(goal) } else { Goal::None };
    let name = |what: &str| format!("{} {pairs} pairs: {what}", door.name());
    Ok(vec![
        per_second.row(name("messages"), "1/s", binary(speed_goal)),
        p50.row(name("delivery p50"), "µs", Goal::None),
        p99.row(name("delivery p99"), "µs", loaded(Goal::RatioAtMost(P99_RATIO_MAX))),
        cpu.row(name("server CPU a message"), "µs", loaded(Goal::RatioAtMost(CPU_RATIO_MAX))),
        busy.row(name("server on a core"), "share", Goal::None),
    ])
}

/// A run of its own, since a traced server is several times slower.
fn system_calls(plan: &Plan, door: Door) -> io::Result<Row> {
    let mut samples = Samples::default();
    if process::installed("strace") {
        let scratch = Scratch::new()?;
        for which in plan.sides() {
            let summary = scratch.file("strace");
            let command = process::counted(&plan.command(which, door)?, meter::READ_WRITE_CALLS, &summary);
            let server = Server::start(command)?;
            let measured = load(&server, door, COUNTED_PAIRS, plan.measured_ms)?;
            server.end()?;
            let calls = meter::calls_in(&summary).map(|calls| calls as f64);
            samples.push(which, calls.map(|calls| calls / measured.messages_in_all as f64));
        }
    }
    let goal = if door == Door::Binary { Goal::AtMost(CALLS_MAX) } else { Goal::None };
    let what = format!("{} {COUNTED_PAIRS} pairs: read and write calls", door.name());
    Ok(samples.row(what, "a message", goal))
}

fn idle(plan: &Plan, door: Door) -> io::Result<Row> {
    let mut samples = Samples::default();
    for which in plan.sides() {
        let server = Server::start(plan.command(which, door)?)?;
        let before = meter::resident_kib(server.pid());
        let mut command = process::role("idle")?;
        command.args(["--addr", &server.addr.to_string(), "--door", door.name()]);
        command.args(["--connections", &plan.idle.to_string()]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("stdout is piped")).read_line(&mut line)?;
        let after = meter::resident_kib(server.pid());
        drop(holder.stdin.take());
        if !holder.wait()?.success() {
            return Err(io::Error::other("the idle connections could not be made; see the line above"));
        }
        samples.push(which, before.zip(after).map(|(before, after)| (after - before) / plan.idle as f64));
        server.end()?;
    }
    let goal = if door == Door::Binary { Goal::AtMost(IDLE_KIB_MAX) } else { Goal::None };
    let what = format!("{} {} idle: a connection", door.name(), plan.idle);
    Ok(samples.row(what, "KiB", goal))
}

fn start(plan: &Plan) -> io::Result<Vec<Row>> {
    let [mut first_answer, mut resident] = [(); 2].map(|()| Samples::default());
    for _ in 0..plan.starts {
        for which in plan.sides() {
            let (took, server) = process::first_answer(plan.command(which, Door::Binary)?)?;
            first_answer.push(which, Some(took.as_secs_f64() * 1e3));
            resident.push(which, meter::resident_kib(server.pid()).map(|kib| kib / 1_024.0));
            server.end()?;
        }
    }
    Ok(vec![
        first_answer.row("exec to first answer".to_owned(), "ms", Goal::AtMost(FIRST_ANSWER_MS_MAX)),
        resident.row("resident at start".to_owned(), "MiB", Goal::AtMost(START_MIB_MAX)),
    ])
}

fn load(server: &Server, door: Door, pairs: usize, measured_ms: u64) -> io::Result<Measured> {
    let mut command = process::role("load")?;
    command.args(["--addr", &server.addr.to_string(), "--door", door.name()]);
    command.args(["--pairs", &pairs.to_string(), "--measured-ms", &measured_ms.to_string()]);
    command.args(["--server-pid", &server.pid().to_string()]);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("the load failed against {}; see the line above", server.addr)));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}
