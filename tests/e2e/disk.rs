//! A full disk: requests are put off, what is there can be read, nothing is
//! corrupt, and the host recovers when there is room again.

use std::path::{Path, PathBuf};
use std::process::Command;

use qiao_tests::sqlite;
use tempfile::TempDir;

use crate::process::{Process, ProcessOptions, free_address};
use crate::till::{Till, assert_audit_passes};

const CLERKS: usize = 4;
/// Room for a host and a few payments.
const DISK_MIB: usize = 24;
/// Payments that show a till at work, and requests that show a full disk.
const ENOUGH: usize = 20;
const MANY: u64 = 20;
/// What a quota leaves for a till's payments.
const QUOTA_ROOM_MIB: u64 = 1;

/// A disk of memory, small and mounted for one test.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// None when this machine lets nobody mount.
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let size = format!("size={DISK_MIB}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|done| done.status.success())
            .then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills what is left; gives the file to delete.
    fn fill(&self) -> PathBuf {
        let file = self.path().join("ballast");
        let mut ballast = Vec::new();
        while std::fs::write(&file, &ballast).is_ok() {
            ballast.resize(ballast.len() + (1 << 20), 7);
        }
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "the disk is unmounted"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_puts_payments_off_and_the_host_recovers_by_itself() {
    let Some(disk) = Disk::mount() else {
        // Without the right to mount, the quota of the test below is the full disk.
        return;
    };
    let options = ProcessOptions {
        data: disk.path().join("data"),
        database_url: None,
        address: free_address(),
        public_url: None,
        size_max_mib: None,
    };
    let till = Till::open(&options).await;
    let process = Process::start(&options).await;
    let working = till.work(CLERKS);
    assert!(
        till.comes_to(|paid, _| paid > ENOUGH).await,
        "the till works"
    );
    let ballast = disk.fill();
    let (_, before) = till.counts();
    let is_full = till.comes_to(|_, put_off| put_off > before + MANY).await;
    assert!(is_full, "{:?} paid and put off", till.counts());
    assert_reads(&process).await;
    let (paid, _) = till.counts();
    std::fs::remove_file(ballast).unwrap();
    let recovers = till.comes_to(|now, _| now > paid + ENOUGH).await;
    till.pause(working).await;
    assert!(recovers, "the host takes payments again");
    till.assert_one_effect_each().await;
    process.kill();
    assert_audit_passes(&options);
}

/// The same by the quota of the configuration, which needs no right to mount: room is
/// made by an operator who raises it.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_quota_puts_payments_off_until_it_is_raised() {
    let database = sqlite().await;
    let mut options = ProcessOptions::over(&database);
    let till = Till::open(&options).await;
    let bytes = std::fs::metadata(options.data.join("qiao.db"))
        .unwrap()
        .len();
    options.size_max_mib = Some(bytes.div_ceil(1 << 20) + QUOTA_ROOM_MIB);
    let process = Process::start(&options).await;
    let working = till.work(CLERKS);
    let is_full = till.comes_to(|_, put_off| put_off > MANY).await;
    assert!(is_full, "{:?} paid and put off", till.counts());
    assert_reads(&process).await;
    till.pause(working).await;
    let (paid, _) = till.counts();
    assert!(paid > 0, "the till worked before");
    process.kill();
    options.size_max_mib = None;
    let process = Process::start(&options).await;
    let working = till.work(CLERKS);
    let recovers = till.comes_to(|now, _| now > paid + ENOUGH).await;
    till.pause(working).await;
    assert!(recovers, "the host takes payments again");
    till.assert_one_effect_each().await;
    process.kill();
    assert_audit_passes(&options);
}

/// What is there can be read, however full it is.
async fn assert_reads(process: &Process) {
    let ready = reqwest::get(format!("{}/readyz", process.url))
        .await
        .unwrap();
    assert!(ready.status().is_success(), "{}", ready.status());
}
