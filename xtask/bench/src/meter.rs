//! What the system says about a process: CPU time, resident memory, system calls.
//!
//! It never guesses: where a figure is not to be had, the answer is `None` and the table says "not measured
//! here".

use std::fs;
use std::path::Path;

/// CPU time of a process so far, user and system. From `/proc/PID/stat`, in steps of 10 ms.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    /// What Linux calls USER_HZ: fixed at 100 for programs, whatever the kernel's own tick is.
    const TICKS_PER_SECOND: f64 = 100.0;
    Some(cpu_ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)? / TICKS_PER_SECOND)
}

/// Resident memory of a process, KiB. From `/proc/PID/status`.
pub(crate) fn resident_kib(pid: u32) -> Option<f64> {
    resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The calls that move bytes, over files and sockets alike: what `strace` is told to count.
pub(crate) const READ_WRITE_CALLS: &str = "read,readv,pread64,preadv,recvfrom,recvmsg,recvmmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg";

/// How many calls a summary of `strace -c` lists in all.
pub(crate) fn calls_in(summary: &Path) -> Option<u64> {
    calls(&fs::read_to_string(summary).ok()?)
}

/// The machine, in one line.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |n| n.to_string());
    let line = |path: &str| fs::read_to_string(path).ok();
    let kernel = line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processor = line("/proc/cpuinfo")
        .and_then(|text| text.lines().find(|l| l.starts_with("model name")).map(str::to_owned))
        .and_then(|l| l.split_once(':').map(|(_, name)| name.trim().to_owned()))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{cores} cores ({processor}), {} {}", std::env::consts::OS, kernel.trim())
}

/// How many tasks wanted a core, on average over the last minute.
pub(crate) fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15, counted behind the command's name, which may hold blanks and brackets.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, behind) = stat.rsplit_once(") ")?;
    let mut fields = behind.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The column `calls` of the rows above the line of the total.
fn calls(summary: &str) -> Option<u64> {
    let mut sum = None;
    for line in summary.lines() {
        let mut columns = line.split_ascii_whitespace();
        let calls = columns.nth(3).and_then(|calls| calls.parse::<u64>().ok());
        match (calls, columns.next_back()) {
            (Some(calls), Some(name)) if name != "total" => sum = Some(sum.unwrap_or(0) + calls),
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_brackets() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 900 0 0 0 150 75 0 0 20 0 1 0 100 0 0";
        assert_eq!(cpu_ticks(stat), Some(225.0));
    }

    #[test]
    fn resident_memory_is_read_from_its_line() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t    4321 kB\n"), Some(4321.0));
    }

    #[test]
    fn calls_are_summed_without_the_total() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
                       ------ ----------- ----------- --------- --------- ----------------\n \
                       60.00    0.100000           1      4000           sendto\n \
                       40.00    0.050000           1      3001         1 recvfrom\n\
                       ------ ----------- ----------- --------- --------- ----------------\n\
                       100.00    0.150000           1      7001         1 total\n";
        assert_eq!(calls(summary), Some(7001));
        assert_eq!(calls("strace: nothing was traced\n"), None);
    }
}
