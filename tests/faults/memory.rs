//! Bodies that are meant to fill the memory, in a process of their own, so that its peak is theirs.

use std::process::Command;

use thuocdo::model::Reason::TooLarge;

use crate::server::{Act, answer, gzip_bomb, head, serve};
use crate::{JSON, fails};

/// Set for the process whose memory is measured.
const MEASURED: &str = "THUOCDO_TEST_MEASURED";

#[test]
fn no_body_is_unpacked_whole() {
    if std::env::var_os(MEASURED).is_some() {
        return measure();
    }
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "memory::no_body_is_unpacked_whole", "--nocapture"]).env(MEASURED, "1");
    let output = command.output().expect("this test again");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said.lines().filter(|line| line.contains("MiB")).for_each(|line| println!("{line}"));
}

fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let gzipped = format!("{JSON}content-encoding: gzip\r\n");
    let of_one = |act: Act| {
        runtime.block_on(async {
            let server = serve(vec![act]).await;
            fails("measured", &server.base, TooLarge, Some(1 << 20)).await;
        });
    };
    // Catalogue, database and client have their memory from a first body that is just too long.
    of_one(Act::Send(answer(200, JSON, &vec![b' '; (1 << 20) + 1])));
    let before = peak_mib();
    of_one(Act::Send(answer(200, &gzipped, &gzip_bomb())));
    of_one(Act::Endless(head(200, JSON)));
    let (Some(before), Some(after)) = (before, peak_mib()) else {
        return eprintln!("skipped: no_body_is_unpacked_whole: this system does not tell its peak memory");
    };
    eprintln!("peak memory: {before} MiB before, {after} MiB after a gzip bomb of 1 GiB and an endless body");
    assert!(after - before < 64, "{before} to {after} MiB");
}

/// Peak memory of this process, in MiB; `None` where the system does not tell.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}
