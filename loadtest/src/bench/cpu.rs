//! CPU time and memory of another process, from `/proc`.

use std::{fs, io, time::Duration};

/// Ticks a second that `/proc` counts in (`getconf CLK_TCK`; 100 on every Linux we know of).
const TICKS_PER_S: u64 = 100;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTime {
    /// User and system time.
    pub used: Duration,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
}

impl CpuTime {
    /// Reads a process by its id.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may hold spaces and brackets: fields are counted from its closing one.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        let used = Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS_PER_S);
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident_kib = resident.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        Ok(Self { used, resident_kib })
    }

    /// CPU time since an earlier reading.
    pub fn since(&self, earlier: &Self) -> Duration {
        self.used.saturating_sub(earlier.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_read_itself() {
        let cpu = CpuTime::of(std::process::id()).expect("readable");
        assert!(cpu.resident_kib > 0);
    }
}
