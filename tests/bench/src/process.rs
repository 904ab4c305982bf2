/// The most memory that a process had so far, in MiB.
pub(crate) fn peak_rss_mib(pid: u32) -> Option<f64> {
    field(pid, "VmHWM:")
}

/// The memory that a process has now, in MiB.
pub(crate) fn rss_mib(pid: u32) -> Option<f64> {
    field(pid, "VmRSS:")
}

fn field(pid: u32, name: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
